import type { MergeOutcome } from "@agentswarm/contracts";
import type { EndedAttempt, RanAttempt } from "./ended-attempt.ts";

/** The queue that gets an ended attempt, with what that queue's message needs. */
export type Recipient =
  | { readonly queue: "merge"; readonly attempt: RanAttempt }
  | { readonly queue: "plan"; readonly outcome: MergeOutcome | null };

/** The merger gets an attempt with work to land, the planner every other. */
export function decideRecipient(attempt: EndedAttempt): Recipient {
  if (attempt.kind === "unopened") return { queue: "plan", outcome: attempt.outcome ?? null };
  const { handoff, stored, unsafe } = attempt;
  if (unsafe !== null) return { queue: "plan", outcome: { kind: "unsafe", why: unsafe } };
  // The store keeps the commits of an attempt that its own agent gave up on, but they do not land.
  const landable = handoff.outcome === "complete" || handoff.outcome === "partial";
  return stored && landable ? { queue: "merge", attempt } : { queue: "plan", outcome: null };
}
