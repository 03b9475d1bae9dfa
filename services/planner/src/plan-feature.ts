import { Fault, swarmKey } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { renderPrompt } from "@agentswarm/llm";
import { askForFeature } from "./ask-for-feature.ts";
import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { makeForecast } from "./forecast.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { namesThatLanded, type Ledger } from "./ledger/ledger.ts";
import { replan } from "./ledger/steps.ts";
import { planSchema, refusePlan } from "./ledger/validate-plan.ts";
import { bulleted, untrusted } from "./survey/prompt-text.ts";
import { surveyTarget } from "./survey/survey-target.ts";

const SYSTEM = "You plan the work of many coding agents on one git repository.";

/** Asks the model for a feature's tasks and adopts them. An invalid plan is planned again with the reason. */
export async function planFeature(ctx: PlannerContext, ledger: Ledger, signal: AbortSignal): Promise<void> {
  const { feature, planningRound } = ledger;
  const survey = await surveyTarget(ctx.repo(feature.repoId).mirror, ctx.surveyTokens);
  const landed = ledger.tasks.filter((record) => record.status === "landed");
  const key = swarmKey(feature.title, "-", "plan");
  const user = await renderPrompt(ctx.promptsDir, "plan", {
    swarmKey: key,
    title: feature.title,
    description: feature.description || "(none)",
    acceptance: bulleted(feature.acceptance),
    landed: bulleted(landed.map((record) => `${record.task.key}: ${record.task.title}`)),
    why: untrusted(ledger.planningWhy) || "(this is the first plan)",
    maxTasks: String(ctx.maxTasks),
    survey: untrusted(survey),
  });
  const question = { system: SYSTEM, user, schema: planSchema, key, signal };
  const plan = await askForFeature(ctx, feature, "plan", question);
  if (plan instanceof Fault) return reject(ctx, ledger, plan.message);
  failpoint("planner.answered");

  const refusal = refusePlan(plan.tasks, new Set(namesThatLanded(ledger).keys()), ctx.maxTasks);
  if (refusal !== null) return reject(ctx, ledger, refusal);
  await ctx.surveys.update(feature.id, () => survey);
  const kinds = plan.tasks.map(() => "build" as const);
  const forecast = makeForecast(kinds, await ctx.history.all(), await ctx.budgets.read(feature.id));
  await step(ctx, feature.id, (now) =>
    // If another replica has planned this round meanwhile, its plan stands.
    isThisRound(now, planningRound) ? { ...adoptPlan(now, plan.tasks, ctx.defaults), forecast } : now,
  );
}

function isThisRound(ledger: Ledger | null, planningRound: number): ledger is Ledger {
  return ledger?.status === "planning" && ledger.planningRound === planningRound;
}

async function reject(ctx: PlannerContext, ledger: Ledger, reason: string): Promise<void> {
  const { feature, planningRound } = ledger;
  ctx.log.warn({ featureId: feature.id, planningRound, reason }, "the plan was refused");
  const id = `plan-rejected-${feature.id}-${planningRound}`;
  const about = { repoId: feature.repoId, featureId: feature.id };
  await ctx.sender.event({ id, type: "plan.rejected", ...about, data: { reason } });
  await step(ctx, feature.id, (now) => (isThisRound(now, planningRound) ? replan(now, reason) : now));
}
