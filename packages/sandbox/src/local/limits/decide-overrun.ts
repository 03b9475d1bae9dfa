import type { SandboxLimits } from "../../sandbox.ts";

/** What the processes of a sandbox take now. */
export interface Measured {
  readonly memoryBytes: number;
  /** Threads of all processes, as control groups count them. */
  readonly pids: number;
}

/**
 * How many measurements in a row find as many processes as allowed before it is an overrun. At the limit new processes
 * fail, so that a program which only touches it goes on.
 */
export const TICKS_AT_PIDS = 4;

/** Decides whether a sandbox that was measured must end, and for which limit. */
export function decideOverrun(
  measured: Measured,
  ticksAtPids: number,
  limits: Pick<SandboxLimits, "memoryBytes" | "pids">,
): "memoryBytes" | "pids" | null {
  if (measured.memoryBytes > limits.memoryBytes) return "memoryBytes";
  return ticksAtPids >= TICKS_AT_PIDS ? "pids" : null;
}
