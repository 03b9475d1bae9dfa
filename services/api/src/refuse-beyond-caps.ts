import type { Budget } from "@agentswarm/contracts";
import type { BudgetCaps } from "@agentswarm/queue";
import { Problem } from "./problem.ts";

/** A feature can be given no more than the whole swarm has; throws Problem 422. */
export function refuseBeyondCaps(caps: BudgetCaps, budget: Budget | undefined): void {
  for (const [unit, name, cap] of [
    ["usd", "BUDGET_USD", caps.BUDGET_USD],
    ["tokens", "BUDGET_TOKENS", caps.BUDGET_TOKENS],
  ] as const) {
    const wanted = budget?.[unit];
    if (wanted === undefined || cap === undefined || wanted <= cap) continue;
    throw new Problem(
      422,
      "budget-too-high",
      `budget.${unit}: ${wanted} is more than the swarm's ${name}=${cap}`,
    );
  }
}
