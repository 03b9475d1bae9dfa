import { Fault, swarmKey } from "@agentswarm/contracts";
import type { Mirror } from "@agentswarm/git";
import { fitTokens, renderPrompt } from "@agentswarm/llm";
import { z } from "zod";
import { askForFeature } from "./ask-for-feature.ts";
import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { decideNext, roundsExceeded } from "./ledger/decide-next.ts";
import { newestIn } from "./ledger/find-tasks.ts";
import { fitPlan } from "./ledger/fit-plan.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { TaskRecord } from "./ledger/task-record.ts";
import { refusePlanning, replan } from "./ledger/steps.ts";
import { plannedTaskSchema } from "./ledger/validate-plan.ts";
import { bulleted, untrusted } from "./survey/prompt-text.ts";

const SYSTEM = "You decide whether a feature is done.";
/** Number of landed tasks that a prompt shows, the newest; the token limits allow fewer in most cases. */
const LANDED_SHOWN = 200;
const HANDOFF_TOKENS = 8_000;
const DIFF_TOKENS = 4_000;

const acceptanceSchema = z.object({
  met: z.boolean(),
  reason: z.string().max(4_000),
  tasks: z.array(plannedTaskSchema).default([]).describe("What is still missing; empty when met"),
});
type Acceptance = z.infer<typeof acceptanceSchema>;

/** Asks the model, once per planning round, whether the landed tasks meet the feature's acceptance. */
export async function acceptFeature(ctx: PlannerContext, ledger: Ledger, signal: AbortSignal): Promise<void> {
  const { feature, planningRound } = ledger;
  const key = swarmKey(feature.title, "-", "accept");
  const landed = await ctx.ledgers.read(feature.id, (now) =>
    now === null ? [] : newestIn(now, "landed", LANDED_SHOWN),
  );
  const user = await renderPrompt(ctx.promptsDir, "accept", {
    swarmKey: key,
    title: feature.title,
    description: feature.description || "(none)",
    acceptance: bulleted(feature.acceptance, "(none; judge by the description)"),
    changes: untrusted(fitTokens(await changesOf(ctx.repo(feature.repoId).mirror, landed), DIFF_TOKENS)),
    handoffs: untrusted(fitTokens(landed.map(describe).join("\n\n"), HANDOFF_TOKENS)),
  });
  const question = { system: SYSTEM, user, schema: acceptanceSchema, key, signal };
  const answer = await askForFeature(ctx, feature, "accept", question);
  await step(ctx, feature.id, (now) => {
    // During the call a person may have retried a task; then the feature is not complete yet.
    if (now === null || now.planningRound !== planningRound || decideNext(now).kind !== "accept") return now;
    if (answer instanceof Fault) return replan(now, answer.message);
    return absorbAcceptance(ctx, now, answer);
  });
}

function absorbAcceptance(ctx: PlannerContext, ledger: Ledger, { met, reason, tasks }: Acceptance): Ledger {
  if (met) return { ...ledger, status: "verifying", reason };
  const { tasks: fitted, refusal } = fitPlan(tasks, ledger, ctx.maxTasks);
  const next = replan(ledger, `Not accepted: ${reason}`);
  if (roundsExceeded(next)) return next;
  // Invalid tasks are planned again, with the reason of the acceptance and that of the refusal.
  return refusal === null ? adoptPlan(next, fitted, ctx.defaults) : refusePlanning(next, refusal);
}

/** The changes of the feature's landings, file by file. */
async function changesOf(mirror: Mirror, landed: readonly TaskRecord[]): Promise<string> {
  await mirror.fetch();
  const known = landed.flatMap(({ commit, task }) => (commit === null ? [] : [{ commit, task }]));
  const stats = await mirror.diffStats(known.map(({ commit }) => commit));
  return known.map(({ task }, nth) => `${task.title}\n${stats[nth] ?? ""}`).join("\n") || "(none)";
}

function describe({ task, lastHandoff }: TaskRecord): string {
  const { summary = "", outcome = "complete", did = [], deviations = [] } = lastHandoff ?? {};
  const { concerns = [], suggestions = [] } = lastHandoff ?? {};
  return [
    `## ${task.title}${outcome === "partial" ? " (done in part)" : ""}`,
    summary,
    ...did.map((one) => `did: ${one}`),
    ...deviations.map((one) => `deviation: ${one}`),
    ...concerns.map((one) => `concern: ${one}`),
    ...suggestions.map((one) => `suggestion: ${one}`),
  ].join("\n");
}
