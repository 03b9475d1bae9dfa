import type { Budget } from "@agentswarm/contracts";
import { openShownModel } from "@agentswarm/queue";
import type { ApiContext } from "./context.ts";
import { Problem } from "./problem.ts";

/** A budget in US dollars holds nothing back while the price of a model is not known; throws Problem 422. */
export async function refuseUnpricedBudget(
  { connection }: Pick<ApiContext, "connection">,
  budget: Budget | undefined,
): Promise<void> {
  if (budget?.usd === undefined) return;
  const unpriced = (await openShownModel(connection).read())?.unpriced ?? null;
  if (unpriced !== null) throw new Problem(422, "budget-without-price", `budget.usd: ${unpriced}`);
}
