import { failpoint, Fault, swarmKey } from "@agentswarm/contracts";
import { askStructured, renderPrompt } from "@agentswarm/llm";
import { step } from "./carry-out.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { planSchema, refusePlan } from "./ledger/validate-plan.ts";
import { replan, spend, unlessEnded } from "./ledger/steps.ts";
import { meter } from "./meter.ts";
import { surveyTarget } from "./survey/survey-target.ts";
import type { Workshop } from "./workshop.ts";

/** Asks the model for a feature's tasks and adopts them, or plans again with what was wrong with the answer. */
export async function planFeature(shop: Workshop, ledger: Ledger): Promise<void> {
  const { feature, planningRound } = ledger;
  const survey = await surveyTarget(shop.mirror, shop.surveyTokens);
  const landed = ledger.tasks.filter((record) => record.status === "landed");
  const key = swarmKey(feature.title, "-", "plan");
  const list = (items: readonly string[]) => items.map((item) => `- ${item}`).join("\n") || "(none)";
  try {
    const user = await renderPrompt(shop.promptsDir, "plan", {
      swarmKey: key,
      title: feature.title,
      description: feature.description || "(none)",
      acceptance: list(feature.acceptance),
      landed: list(landed.map((record) => `${record.task.key}: ${record.task.title}`)),
      why: ledger.planningWhy || "(this is the first plan)",
      maxTasks: String(shop.maxTasks),
      survey,
    });
    const system = "You plan the work of many coding agents on one git repository.";
    const { value, usage } = await askStructured(shop.model, { system, user, schema: planSchema, key });
    failpoint("planner.answered");
    await meter(shop, ledger, "plan", usage);
    const refusal = refusePlan(value.tasks, new Set(landed.map((record) => record.task.key)), shop.maxTasks);
    if (refusal !== null) return await reject(shop, ledger, refusal);
    await step(shop, feature.id, (now) =>
      unlessEnded(now, (open) => {
        // Somebody was faster with this very round; their plan stands.
        if (open.status !== "planning" || open.planningRound !== planningRound) return open;
        return adoptPlan(spend(open, usage), value.tasks, survey, shop.defaults);
      }),
    );
  } catch (error) {
    const fault = Fault.from(error);
    if (fault.retryable || !fault.code.startsWith("model.")) throw fault;
    await reject(shop, ledger, fault.message);
  }
}

async function reject(shop: Workshop, { feature, planningRound }: Ledger, reason: string): Promise<void> {
  shop.log.warn({ featureId: feature.id, reason }, "the plan was refused");
  const id = `plan-rejected-${feature.id}-${planningRound}`;
  await shop.sender.event({ id, type: "plan.rejected", featureId: feature.id, data: { reason } });
  await step(shop, feature.id, (now) =>
    unlessEnded(now, (open) =>
      open.planningRound === planningRound && open.status === "planning" ? replan(open, reason) : open,
    ),
  );
}
