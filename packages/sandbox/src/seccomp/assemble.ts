/** An instruction of classic BPF, as seccomp runs it over `struct seccomp_data`; jumps name labels. */
export type Step =
  | { readonly op: "load"; readonly offset: number }
  | { readonly op: "label"; readonly name: string }
  /** Jumps to the label when the loaded word equals (or is at least) the value, else goes on. */
  | { readonly op: "ifEqual" | "ifAtLeast"; readonly value: number; readonly goto: string }
  | { readonly op: "return"; readonly action: number };

/** The operation codes of linux/bpf_common.h: BPF_LD|BPF_W|BPF_ABS and so on. */
export const CODES = { load: 0x20, ifEqual: 0x15, ifAtLeast: 0x35, return: 0x06 } as const;

/** Bytes of one `struct sock_filter`: code (2), jump if true (1), jump if false (1), k (4), little-endian. */
export const STEP_BYTES = 8;

const MAX_JUMP = 255;

/** Assembles a program to the bytes that bubblewrap's --seccomp reads. Throws for an unknown or too distant label. */
export function assemble(steps: readonly Step[]): Buffer {
  const labels = new Map<string, number>();
  let length = 0;
  for (const step of steps) {
    if (step.op === "label") labels.set(step.name, length);
    else length += 1;
  }
  const bytes = Buffer.alloc(length * STEP_BYTES);
  let at = 0;
  for (const step of steps) {
    if (step.op === "label") continue;
    const jump = "goto" in step ? distance(labels, step.goto, at) : 0;
    bytes.writeUInt16LE(CODES[step.op], at * STEP_BYTES);
    bytes.writeUInt8(jump, at * STEP_BYTES + 2);
    bytes.writeUInt32LE(operand(step), at * STEP_BYTES + 4);
    at += 1;
  }
  return bytes;
}

function operand(step: Exclude<Step, { op: "label" }>): number {
  if (step.op === "load") return step.offset;
  return step.op === "return" ? step.action : step.value;
}

function distance(labels: ReadonlyMap<string, number>, label: string, from: number): number {
  const jump = (labels.get(label) ?? Number.NaN) - from - 1;
  if (jump >= 0 && jump <= MAX_JUMP) return jump;
  throw new RangeError(`label ${label} is unknown, or not within ${MAX_JUMP} instructions after ${from}`);
}
