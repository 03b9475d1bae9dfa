import type { Fault } from "@agentswarm/contracts";

/**
 * `release`: another worker has the job, so nothing is written. `hand-back`: back to the queue at once. `cancelled`:
 * the job ends as failed because its cancellation was asked for. `dead-letter`: the job ends as failed and waits for a
 * person. `retry`: the job is put back with a delay.
 */
export type AfterFault =
  | { kind: "release" | "hand-back" | "cancelled" | "dead-letter" }
  | { kind: "retry"; delayMs: number };

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 60_000;

/** A bug may be an accident of one moment, such as a race, so its job is started so often before it is set aside. */
const STARTS_OF_BUG = 3;

/** Decides about a job whose handler threw. `reason` is the reason of its abort, if any; the delay doubles per start. */
export function decideAfterFault(fault: Fault, job: { reason: unknown; started: number }): AfterFault {
  if (job.reason === "lost") return { kind: "release" };
  if (job.reason === "shutdown") return { kind: "hand-back" };
  if (job.reason === "cancel") return { kind: "cancelled" };
  if (!fault.retryable && !isWorthARetry(fault, job.started)) return { kind: "dead-letter" };
  const grown = Math.min(FIRST_DELAY_MS * 2 ** Math.min(job.started - 1, 20), MAX_DELAY_MS);
  return { kind: "retry", delayMs: fault.retryAfterMs ?? grown };
}

/** A message that cannot be read stays so. */
function isWorthARetry({ source, code }: Fault, started: number): boolean {
  return source === "bug" && code !== "message.invalid" && started < STARTS_OF_BUG;
}
