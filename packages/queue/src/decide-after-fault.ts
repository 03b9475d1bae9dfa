import type { Fault } from "@agentswarm/contracts";

/**
 * `let-go`: another worker has the job, nothing is to be done. `hand-back`: to the queue at once. `end`: it failed
 * because somebody wanted it to stop. `bury`: nobody can make it work without looking at it.
 */
export type AfterFault =
  | { kind: "let-go" | "hand-back" | "end" | "bury" }
  | { kind: "retry"; waitMs: number };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;

/** What becomes of a job whose handler threw, given why it was aborted, if it was. The wait doubles with every start. */
export function decideAfterFault(fault: Fault, job: { reason: unknown; started: number }): AfterFault {
  if (job.reason === "lost") return { kind: "let-go" };
  if (job.reason === "shutdown") return { kind: "hand-back" };
  if (job.reason === "cancel") return { kind: "end" };
  if (!fault.retryable) return { kind: "bury" };
  const grown = Math.min(FIRST_WAIT_MS * 2 ** Math.min(job.started - 1, 20), LONGEST_WAIT_MS);
  return { kind: "retry", waitMs: fault.retryAfterMs ?? grown };
}
