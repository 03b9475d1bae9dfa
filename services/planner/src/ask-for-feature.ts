import type { z } from "zod";
import { asFault, type Fault, type FeatureSubmission } from "@agentswarm/contracts";
import { askStructured, paidFrom, type Usage } from "@agentswarm/llm";
import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { chargeCall } from "./ledger/charge-call.ts";

/**
 * Asks the model a question about a feature, paid from the feature's budget. Every paid call is charged to the ledger
 * when it ends, also when its answer is invalid or a later crash loses it. Returns a Fault when the answers cannot be
 * used; throws a Fault when the model could not be reached or the budget is used up, so that the caller asks later.
 */
export async function askForFeature<S extends z.ZodType>(
  ctx: PlannerContext,
  { id: featureId }: Pick<FeatureSubmission, "id">,
  role: "plan" | "accept",
  question: Parameters<typeof askStructured<S>>[1],
): Promise<z.infer<S> | Fault> {
  const onUse = async (usage: Usage) => {
    // The time in the id tells the calls of one planning round apart.
    const id = `model-used-${role}-${featureId}-${await ctx.connection.now()}`;
    await step(
      ctx,
      featureId,
      (ledger) => ledger && chargeCall(ledger, { id, role, model: ctx.model.name, usage }),
    );
  };
  const budget = ctx.budgets.of({ featureId });
  const model = paidFrom(budget, ctx.model, { maxTokens: ctx.maxTokens, onUse });
  try {
    return (await askStructured(model, question)).value;
  } catch (error) {
    const fault = asFault(error);
    if (fault.retryable || !fault.code.startsWith("model.")) throw fault;
    return fault;
  }
}
