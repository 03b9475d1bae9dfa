import { paidFrom, type Model, type Usage } from "@agentswarm/llm";
import type { Ledger } from "./ledger/ledger.ts";
import type { Workshop } from "./workshop.ts";

/** Tells what a model call of the planner's own used. */
export async function meter(
  shop: Workshop,
  { feature, planningRound }: Ledger,
  role: string,
  usage: Usage,
): Promise<void> {
  await shop.sender.event({
    id: `model-used-${role}-${feature.id}-${planningRound}`,
    type: "model.used",
    featureId: feature.id,
    data: { role, model: shop.model.name, ...usage },
  });
}

/** The model, paid from a feature's budget. */
export function modelFor({ budgets, model, maxTokens }: Workshop, featureId: string): Model {
  return paidFrom(budgets.of({ featureId }), model, maxTokens);
}
