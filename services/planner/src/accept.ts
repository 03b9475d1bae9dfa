import { Fault, swarmKey } from "@agentswarm/contracts";
import { askStructured, fitTokens, renderPrompt } from "@agentswarm/llm";
import { z } from "zod";
import { step } from "./carry-out.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { decideNext, PLANNING_ROUNDS } from "./ledger/decide-next.ts";
import type { Ledger, TaskRecord } from "./ledger/ledger.ts";
import { namesThatLanded } from "./ledger/names-that-landed.ts";
import { plannedTaskSchema, refusePlan } from "./ledger/validate-plan.ts";
import { replan, spend } from "./ledger/steps.ts";
import { modelFor } from "./meter.ts";
import { unlessAnswered } from "./plan-feature.ts";
import { bulleted } from "./survey/bulleted.ts";
import { untrusted } from "./survey/untrusted.ts";
import type { PlannerContext } from "./context.ts";

const SYSTEM = "You judge whether a feature is done.";
const HANDOFF_TOKENS = 8_000;
const DIFF_TOKENS = 4_000;

const acceptanceSchema = z.object({
  met: z.boolean(),
  reason: z.string().max(4_000),
  tasks: z.array(plannedTaskSchema).default([]).describe("What is still missing; empty when met"),
});
type Acceptance = z.infer<typeof acceptanceSchema>;

/** Asks the model, once per planning round, whether what has landed is what was asked for. */
export async function acceptFeature(ctx: PlannerContext, ledger: Ledger, signal: AbortSignal): Promise<void> {
  const { feature, planningRound } = ledger;
  const key = swarmKey(feature.title, "-", "accept");
  const landed = ledger.tasks.filter((record) => record.status === "landed");
  const user = await renderPrompt(ctx.promptsDir, "accept", {
    swarmKey: key,
    title: feature.title,
    description: feature.description || "(none)",
    acceptance: bulleted(feature.acceptance, "(none; judge by the description)"),
    changes: untrusted(fitTokens(await changesOf(ctx, landed), DIFF_TOKENS)),
    handoffs: untrusted(fitTokens(landed.map(describe).join("\n\n"), HANDOFF_TOKENS)),
  });
  const question = { system: SYSTEM, user, schema: acceptanceSchema, key, signal };
  const answer = await askStructured(modelFor(ctx, feature, "accept"), question).catch(unlessAnswered);
  await step(ctx, feature.id, (now) => {
    // Meanwhile a person may have opened a task again, and then it is not all there yet.
    if (now === null || now.planningRound !== planningRound || decideNext(now).kind !== "accept") return now;
    if (answer instanceof Fault) return replan(now, answer.message);
    return absorbAcceptance(ctx, spend(now, answer.usage), answer.value);
  });
}

function absorbAcceptance(ctx: PlannerContext, ledger: Ledger, { met, reason, tasks }: Acceptance): Ledger {
  if (met) return { ...ledger, status: "verifying", reason };
  const refusal = refusePlan(tasks, new Set(namesThatLanded(ledger).keys()), ctx.maxTasks);
  const next = replan(ledger, `Not accepted: ${reason}`);
  if (next.planningRound > PLANNING_ROUNDS) return next;
  // Tasks that cannot be carried out are planned anew, with the reason for both.
  if (refusal !== null)
    return { ...next, planningWhy: `${next.planningWhy}\nThe tasks you gave were refused: ${refusal}` };
  return adoptPlan(next, tasks, ctx.defaults);
}

/** What the feature's landings changed, file by file. */
async function changesOf({ mirror }: PlannerContext, landed: readonly TaskRecord[]): Promise<string> {
  await mirror.fetch();
  const known = landed.flatMap(({ commit, task }) => (commit === null ? [] : [{ commit, task }]));
  const stats = await mirror.diffStats(known.map(({ commit }) => commit));
  return known.map(({ task }, nth) => `${task.title}\n${stats[nth] ?? ""}`).join("\n") || "(none)";
}

function describe({ task, lastHandoff }: TaskRecord): string {
  const { summary = "", outcome = "complete", deviations = [], concerns = [] } = lastHandoff ?? {};
  return [
    `## ${task.title}${outcome === "partial" ? " (done in part)" : ""}`,
    summary,
    ...deviations.map((one) => `deviation: ${one}`),
    ...concerns.map((one) => `concern: ${one}`),
  ].join("\n");
}
