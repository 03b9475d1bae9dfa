import type { Fault } from "@agentswarm/contracts";

export type AfterFault = { kind: "hand-back" } | { kind: "retry"; waitMs: number } | { kind: "bury" };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;

/** What becomes of a job whose handler threw. The wait doubles with every start, up to a minute. */
export function decideAfterFault(
  fault: Fault,
  job: { aborted: boolean; reason: unknown; started: number },
): AfterFault {
  if (job.aborted && job.reason === "shutdown") return { kind: "hand-back" };
  // Another worker has the job by now; whatever is done with it here is refused by its lock.
  if (job.aborted && job.reason === "lost") return { kind: "hand-back" };
  if (!fault.retryable) return { kind: "bury" };
  const grown = Math.min(FIRST_WAIT_MS * 2 ** Math.min(job.started - 1, 20), LONGEST_WAIT_MS);
  return { kind: "retry", waitMs: fault.retryAfterMs ?? grown };
}
