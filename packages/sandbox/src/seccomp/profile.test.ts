import { describe, expect, test } from "vitest";
import { assemble, CODES, STEP_BYTES } from "./assemble.ts";
import { ALLOW, buildFilter, failWith, filterMachine, type FilterNeeds } from "./profile.ts";
import { AUDIT_ARCH, syscallNumber, SYSCALLS, type Machine, type Syscall } from "./syscalls.ts";

interface Call {
  readonly arch?: number;
  readonly nr: number;
  readonly args?: readonly number[];
}

/** Runs a filter over a system call, as the kernel does, and returns its action. */
function simulate(program: Buffer, { arch = AUDIT_ARCH.x64, nr, args = [] }: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(nr, 0);
  data.writeUInt32LE(arch, 4);
  args.forEach((value, i) => data.writeBigUInt64LE(BigInt(value), 16 + 8 * i));
  let loaded = 0;
  for (let at = 0; at < program.length / STEP_BYTES; at += 1) {
    const step = program.subarray(at * STEP_BYTES, (at + 1) * STEP_BYTES);
    const k = step.readUInt32LE(4);
    switch (step.readUInt16LE(0)) {
      case CODES.load:
        loaded = data.readUInt32LE(k);
        break;
      case CODES.ifEqual:
        at += step.readUInt8(loaded === k ? 2 : 3);
        break;
      case CODES.ifAtLeast:
        at += step.readUInt8(loaded >= k ? 2 : 3);
        break;
      default:
        return k;
    }
  }
  throw new Error("the filter does not return");
}

const PLAIN: FilterNeeds = { measuredMemory: false, fixedAffinity: false };
const CALLS_OF_NODE = { x64: [0, 1, 9, 56, 59, 202, 257, 435], arm64: [56, 57, 63, 64, 98, 220, 221, 435] };

describe.each(["x64", "arm64"] as const)("the filter of %s", (machine: Machine) => {
  const filter = buildFilter(machine, PLAIN);
  const ask = (name: Syscall, args: readonly number[] = [], program = filter) =>
    simulate(program, { arch: AUDIT_ARCH[machine], nr: syscallNumber(name, machine) ?? -1, args });

  test("io_uring does not exist, so that programs fall back", () => {
    for (const name of ["io_uring_setup", "io_uring_enter", "io_uring_register"] as const)
      expect([name, ask(name)]).toEqual([name, failWith("ENOSYS")]);
  });

  test("what an escape needs is refused", () => {
    const refused = ["userfaultfd", "bpf", "perf_event_open", "keyctl", "add_key", "request_key", "ptrace"];
    const more = ["process_vm_readv", "open_by_handle_at", "kexec_load", "mount", "setns", "unshare"];
    for (const name of [...refused, ...more] as Syscall[])
      expect([name, ask(name)]).toEqual([name, failWith("EPERM")]);
  });

  test("sockets are of the unix and internet families; netlink only tells routes", () => {
    for (const family of [1, 2, 10]) expect(ask("socket", [family, 1, 0])).toBe(ALLOW);
    expect(ask("socket", [16, 3, 0])).toBe(ALLOW);
    expect(ask("socket", [16, 3, 9])).toBe(failWith("EPROTONOSUPPORT"));
    // AF_VSOCK, AF_ALG, AF_PACKET, AF_XDP; and vsock with a high word, which the kernel ignores.
    for (const family of [40, 38, 17, 44, 2 ** 40 + 40])
      expect([family, ask("socket", [family, 1, 0])]).toEqual([family, failWith("EAFNOSUPPORT")]);
  });

  test("nothing is typed into a terminal, and other requests work", () => {
    expect(ask("ioctl", [0, 0x5412])).toBe(failWith("EPERM"));
    expect(ask("ioctl", [0, 0x5401])).toBe(ALLOW);
  });

  test("calls that every program makes work", () => {
    for (const nr of CALLS_OF_NODE[machine])
      expect([nr, simulate(filter, { arch: AUDIT_ARCH[machine], nr })]).toEqual([nr, ALLOW]);
  });

  test("calls of another ABI do not exist", () => {
    expect(simulate(filter, { arch: 0x40000003, nr: 1 })).toBe(failWith("ENOSYS"));
    expect(simulate(filter, { arch: AUDIT_ARCH[machine], nr: 0x40000001 })).toBe(failWith("ENOSYS"));
  });

  test("memory outside processes and the affinity are refused only where a limit rests on it", () => {
    const strict = buildFilter(machine, { measuredMemory: true, fixedAffinity: true });
    for (const name of ["memfd_create", "shmget"] as const) {
      expect(ask(name)).toBe(ALLOW);
      expect(ask(name, [], strict)).toBe(failWith("ENOSYS"));
    }
    expect(ask("sched_setaffinity")).toBe(ALLOW);
    expect(ask("sched_setaffinity", [], strict)).toBe(failWith("EPERM"));
  });
});

test("no number stands for two calls", () => {
  for (const index of [0, 1]) {
    const numbers = Object.values(SYSCALLS).flatMap((pair) => pair[index] ?? []);
    expect(new Set(numbers).size).toBe(numbers.length);
  }
});

test("a machine whose calls are unknown has no filter", () => {
  expect(filterMachine("riscv64")).toBeNull();
});

test("a label that is unknown or behind is an error", () => {
  expect(() => assemble([{ op: "ifEqual", value: 1, goto: "nowhere" }])).toThrow(/nowhere/);
  const back = { op: "label", name: "back" } as const;
  expect(() => assemble([back, { op: "ifEqual", value: 1, goto: "back" }])).toThrow(/back/);
});
