import { Fault, jobId } from "@agentswarm/contracts";
import { jobState } from "@agentswarm/queue";
import { advance } from "./advance.ts";
import { refreshBudget, step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import type { LedgerStep } from "./ledger/apply-step.ts";
import type { AnsweredDecision } from "./ledger/decisions/answer-decision.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { StepFacts } from "./ledger/step-facts.ts";

const FEATURE_WAIT_MS = 200;

/**
 * Applies a step to a feature and moves it on. `about`: ids of the tasks that the step is about. Throws Fault `not-found`
 * (retryable) while the feature's own message is not handled yet.
 */
export async function move(
  ctx: PlannerContext,
  featureId: string,
  change: LedgerStep,
  about: readonly string[] = [],
): Promise<void> {
  if ((await step(ctx, featureId, change, about)) !== null) return advance(ctx, featureId);
  const submitted = await jobState(ctx.connection, "plan", jobId.feature(featureId));
  if (submitted !== "missing" && submitted !== "completed" && submitted !== "failed") {
    const message = `feature ${featureId} has been submitted, but its message is not handled yet`;
    throw new Fault("not-found", message, { retryable: true, retryAfterMs: FEATURE_WAIT_MS });
  }
  ctx.log.error({ featureId }, "a message names a feature that has no ledger: was Redis wiped?");
}

/** Applies a step to the feature that has this task, and moves it on. */
export async function moveTask(
  ctx: PlannerContext,
  taskId: string,
  change: (ledger: Ledger, facts: StepFacts) => Ledger,
): Promise<void> {
  const featureId = await ctx.ledgers.featureOf(taskId);
  if (featureId === null)
    ctx.log.error({ taskId }, "a message names a task that is in no ledger: was Redis wiped?");
  else await move(ctx, featureId, (ledger, facts) => ledger && change(ledger, facts), [taskId]);
}

/** Applies a step to a decision, and moves its feature on. */
export async function moveDecision(
  ctx: PlannerContext,
  { featureId, decisionId }: { readonly featureId: string; readonly decisionId: string },
  change: (ledger: Ledger, of: AnsweredDecision, facts: StepFacts) => Ledger,
): Promise<void> {
  const taskId = await ctx.ledgers.taskOfDecision(featureId, decisionId);
  const step: LedgerStep = (ledger, facts) => ledger && change(ledger, { decisionId, taskId }, facts);
  await move(ctx, featureId, step, taskId === null ? [] : [taskId]);
  if (taskId !== null) return;
  // It may have raised the budget; reading the budgets after it sends the tasks that waited for it.
  await refreshBudget(ctx, featureId);
  await advance(ctx, featureId);
}
