import type { Usage } from "@agentswarm/llm";
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

/** What a model call of the planner's own used, added to the feature. */
export function spend(ledger: Ledger, usage: Usage): Ledger {
  return {
    ...ledger,
    costUsd: ledger.costUsd + usage.costUsd,
    tokens: ledger.tokens + usage.tokensIn + usage.tokensOut,
  };
}
