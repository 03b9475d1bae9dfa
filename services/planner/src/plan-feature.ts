import { Fault, swarmKey } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { askStructured, NO_USAGE, renderPrompt, type Usage } from "@agentswarm/llm";
import { step } from "./carry-out.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { makeForecast } from "./forecast.ts";
import { namesThatLanded } from "./ledger/names-that-landed.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { planSchema, refusePlan } from "./ledger/validate-plan.ts";
import { replan, spend } from "./ledger/steps.ts";
import { modelFor } from "./meter.ts";
import { bulleted } from "./survey/bulleted.ts";
import { surveyTarget } from "./survey/survey-target.ts";
import { untrusted } from "./survey/untrusted.ts";
import type { PlannerContext } from "./context.ts";

const SYSTEM = "You plan the work of many coding agents on one git repository.";

/** Asks the model for a feature's tasks and adopts them, or plans again with what was wrong with the answer. */
export async function planFeature(ctx: PlannerContext, ledger: Ledger, signal: AbortSignal): Promise<void> {
  const { feature, planningRound } = ledger;
  const survey = await surveyTarget(ctx.mirror, ctx.surveyTokens);
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
  const answer = await askStructured(modelFor(ctx, feature, "plan"), question).catch(unlessAnswered);
  if (answer instanceof Fault) return reject(ctx, ledger, answer.message, NO_USAGE);
  failpoint("planner.answered");

  const { value, usage } = answer;
  const refusal = refusePlan(value.tasks, new Set(namesThatLanded(ledger).keys()), ctx.maxTasks);
  if (refusal !== null) return reject(ctx, ledger, refusal, usage);
  await ctx.surveys.update(feature.id, () => survey);
  const kinds = value.tasks.map(() => "build" as const);
  const forecast = makeForecast(kinds, await ctx.history.all(), await ctx.budgets.read(feature.id));
  await step(ctx, feature.id, (now) =>
    // Where somebody was faster with this very round, their plan stands.
    isThisRound(now, planningRound)
      ? { ...adoptPlan(spend(now, usage), value.tasks, ctx.defaults), forecast }
      : now,
  );
}

/** A model that answered with what cannot be used is heard; one that cannot be reached is asked again later. */
export function unlessAnswered(error: unknown): Fault {
  const fault = Fault.from(error);
  if (fault.retryable || !fault.code.startsWith("model.")) throw fault;
  return fault;
}

function isThisRound(ledger: Ledger | null, planningRound: number): ledger is Ledger {
  return ledger?.status === "planning" && ledger.planningRound === planningRound;
}

async function reject(ctx: PlannerContext, ledger: Ledger, reason: string, usage: Usage): Promise<void> {
  const { feature, planningRound } = ledger;
  ctx.log.warn({ featureId: feature.id, reason }, "the plan was refused");
  const id = `plan-rejected-${feature.id}-${planningRound}`;
  const about = { repoId: feature.repoId, featureId: feature.id };
  await ctx.sender.event({ id, type: "plan.rejected", ...about, data: { reason } });
  await step(ctx, feature.id, (now) =>
    isThisRound(now, planningRound) ? replan(spend(now, usage), reason) : now,
  );
}
