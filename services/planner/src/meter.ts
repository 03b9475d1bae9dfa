import type { FeatureSubmission } from "@agentswarm/contracts";
import { paidFrom, type Model, type Usage } from "@agentswarm/llm";
import type { PlannerContext } from "./context.ts";

/** The model for one feature: paid from its budget, and every call is told with what it used. */
export function modelFor(
  ctx: PlannerContext,
  { id: featureId, repoId }: Pick<FeatureSubmission, "id" | "repoId">,
  role: "plan" | "accept",
): Model {
  const onUse = async (usage: Usage) =>
    ctx.sender.event({
      // An answer that fits nothing was paid too, so that a round may have several; the moment tells them apart.
      id: `model-used-${role}-${featureId}-${await ctx.connection.now()}`,
      type: "model.used",
      repoId,
      featureId,
      data: { role, model: ctx.model.name, ...usage },
    });
  return paidFrom(ctx.budgets.of({ featureId }), ctx.model, { maxTokens: ctx.maxTokens, onUse });
}
