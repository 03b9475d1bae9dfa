import { Fault, swarmKey } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { renderPrompt } from "@agentswarm/llm";
import { askForFeature } from "./ask-for-feature.ts";
import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { makeForecast } from "./forecast.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { namesThatLanded, newestIn } from "./ledger/find-tasks.ts";
import { fitPlan } from "./ledger/fit-plan.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { inPlanningTurn, refusePlanning } from "./ledger/steps.ts";
import { planSchema } from "./ledger/validate-plan.ts";
import { bulleted, untrusted } from "./survey/prompt-text.ts";
import { surveyTarget } from "./survey/survey-target.ts";

/** Number of landed tasks that a prompt shows, the newest. */
const LANDED_SHOWN = 200;
const SYSTEM = "You plan the work of many coding agents on one git repository.";

/** Asks the model for a feature's tasks and adopts them. An invalid plan is planned again with the reason. */
export async function planFeature(ctx: PlannerContext, ledger: Ledger, signal: AbortSignal): Promise<void> {
  const { feature } = ledger;
  const survey = await surveyTarget(ctx.repo(feature.repoId).mirror, ctx.surveyTokens);
  const key = swarmKey(feature.title, "-", "plan");
  const user = await renderPrompt(ctx.promptsDir, "plan", {
    swarmKey: key,
    title: feature.title,
    description: feature.description || "(none)",
    acceptance: bulleted(feature.acceptance),
    landed: bulleted(await ctx.ledgers.read(feature.id, landedNames)),
    why: untrusted(whyPlanned(ledger)),
    maxTasks: String(ctx.maxTasks),
    survey: untrusted(survey),
  });
  const question = { system: SYSTEM, user, schema: planSchema, key, signal };
  const plan = await askForFeature(ctx, feature, "plan", question);
  if (plan instanceof Fault) return reject(ctx, ledger, plan.message);
  failpoint("planner.answered");

  const { tasks, refusal } = await ctx.ledgers.read(feature.id, (now) =>
    fitPlan(plan.tasks, now ?? ledger, ctx.maxTasks),
  );
  if (refusal !== null) return reject(ctx, ledger, refusal);
  await ctx.surveys.update(feature.id, () => survey);
  const kinds = tasks.map(() => "build" as const);
  const forecast = makeForecast(kinds, await ctx.history.all(), await ctx.budgets.read(feature.id));
  // If another replica has planned this round meanwhile, its plan stands.
  await step(ctx, feature.id, (now) =>
    inPlanningTurn(now, ledger, (same) => ({ ...adoptPlan(same, tasks, ctx.defaults), forecast })),
  );
}

/** The names that a plan may depend on and must not use again, with the titles of what landed; of many the newest. */
function landedNames(ledger: Ledger | null): string[] {
  if (ledger === null) return [];
  const names = [...namesThatLanded(ledger)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return newestIn(ledger, "landed", LANDED_SHOWN).flatMap(({ task: { id, key, title } }) =>
    names
      .filter(([, landed]) => landed === id)
      .map(([name]) => (key === name ? `${name}: ${title}` : `${name} (landed as ${key}): ${title}`)),
  );
}

/** Why this plan is made: the reason of the round first, because it is what the plan must solve. */
function whyPlanned({ planningWhy, refusal }: Ledger): string {
  const why = planningWhy || "(this is the first plan)";
  return refusal === "" ? why : `${why}\nYour last plan was refused: ${refusal}`;
}

async function reject(ctx: PlannerContext, ledger: Ledger, reason: string): Promise<void> {
  const { feature, planningRound, refusedPlans } = ledger;
  ctx.log.warn({ featureId: feature.id, planningRound, refusedPlans, reason }, "the plan was refused");
  const id = `plan-rejected-${feature.id}-${planningRound}-${refusedPlans + 1}`;
  const about = { repoId: feature.repoId, featureId: feature.id };
  await ctx.sender.event({ id, type: "plan.rejected", ...about, data: { reason } });
  await step(ctx, feature.id, (now) => inPlanningTurn(now, ledger, (same) => refusePlanning(same, reason)));
}
