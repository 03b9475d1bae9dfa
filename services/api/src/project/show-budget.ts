import type { ShownBudget } from "@agentswarm/contracts";
import type { BudgetState } from "@agentswarm/queue";

/** A budget as the REST API shows it. */
export function showBudget(state: BudgetState, reached: ShownBudget["reached"]): ShownBudget {
  const amount = ({ costUsd, tokens }: BudgetState["spent"]) => ({ usd: costUsd, tokens });
  return {
    usd: state.cap.usd ?? null,
    tokens: state.cap.tokens ?? null,
    spent: amount(state.spent),
    reserved: amount(state.reserved),
    usedUp: state.usedUp?.why ?? null,
    reached,
  };
}
