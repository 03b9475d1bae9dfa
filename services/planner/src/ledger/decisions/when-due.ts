import type { Decision } from "@agentswarm/contracts";
import { isOpen } from "./kept-decisions.ts";

/**
 * The time at which something is due about a decision: the reminder at half of its time, the escalation at three quarters,
 * and its end. Null: nothing is. Milliseconds since 1970, Redis time.
 */
export function whenDue(decision: Decision): number | null {
  const { askedAt, dueAt, reminded } = decision;
  if (!isOpen(decision) || dueAt === null || isOverdue(decision)) return null;
  const part = (share: number) => Math.round(askedAt + (dueAt - askedAt) * share);
  return reminded === 0 ? part(1 / 2) : reminded === 1 ? part(3 / 4) : dueAt;
}

/** Whether the time of an open decision is over, and `decision.timed-out` was emitted. */
export function isOverdue(decision: Decision): boolean {
  return isOpen(decision) && decision.endReason !== null;
}
