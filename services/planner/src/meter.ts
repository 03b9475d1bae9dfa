import { paidFrom, type Model, type Usage } from "@agentswarm/llm";
import type { Workshop } from "./workshop.ts";

/** The model for one feature: paid from its budget, and every call is told with what it used. */
export function modelFor(shop: Workshop, featureId: string, role: "plan" | "accept"): Model {
  const onUse = async (usage: Usage) =>
    shop.sender.event({
      // An answer that fits nothing was paid too, so that a round may have several; the moment tells them apart.
      id: `model-used-${role}-${featureId}-${await shop.connection.now()}`,
      type: "model.used",
      featureId,
      data: { role, model: shop.model.name, ...usage },
    });
  return paidFrom(shop.budgets.of({ featureId }), shop.model, { maxTokens: shop.maxTokens, onUse });
}
