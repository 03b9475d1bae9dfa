import type { Usage } from "@agentswarm/llm";
import type { Next } from "./decide-next.ts";
import { hasEnded, type Ledger } from "./ledger.ts";

/** Small pure steps that several messages take. */

/** Leaves an ended feature as it is. */
export function unlessEnded(ledger: Ledger | null, change: (ledger: Ledger) => Ledger): Ledger | null {
  return ledger === null || hasEnded(ledger) ? ledger : change(ledger);
}

/** The feature in its next planning round. */
export function replan(ledger: Ledger, why: string): Ledger {
  return {
    ...ledger,
    status: "planning",
    planningRound: ledger.planningRound + 1,
    planningWhy: why.slice(0, 8_000),
  };
}

/** Carries out what was decided, as far as it needs no model. */
export function takeStep(ledger: Ledger, next: Next, at: number): Ledger {
  switch (next.kind) {
    case "replan":
      return replan(ledger, next.why);
    case "hold":
      return { ...ledger, status: "held", reason: next.why };
    case "fail":
      return { ...ledger, status: "failed", reason: next.why, finishedAt: at };
    default:
      return ledger;
  }
}

/** What a model call of the planner's own used, added to the feature. */
export function spend(ledger: Ledger, usage: Usage): Ledger {
  return {
    ...ledger,
    costUsd: ledger.costUsd + usage.costUsd,
    tokens: ledger.tokens + usage.tokensIn + usage.tokensOut,
  };
}
