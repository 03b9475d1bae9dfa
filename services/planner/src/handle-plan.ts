import { Fault, jobId, slug, type Decision, type PlanMessage } from "@agentswarm/contracts";
import { currentTrace } from "@agentswarm/contracts/node";
import { jobState } from "@agentswarm/queue";
import { absorbSweep } from "./absorb-sweep.ts";
import { advance } from "./advance.ts";
import { audit } from "./audit.ts";
import { refreshBudget, step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { absorbHandoff } from "./ledger/absorb-handoff.ts";
import { cancelTask } from "./ledger/cancel-task.ts";
import type { LedgerStep } from "./ledger/apply-step.ts";
import { answerDecision, type AnsweredDecision } from "./ledger/decisions/answer-decision.ts";
import { decideHeld } from "./ledger/decisions/held-landing.ts";
import { remindOrEnd } from "./ledger/decisions/remind-or-end.ts";
import { findRecord } from "./ledger/find-tasks.ts";
import { newLedger, type Ledger } from "./ledger/ledger.ts";
import { cancelFeature, giveBudget, retryTask } from "./ledger/person-actions.ts";
import { retryFeature } from "./ledger/retry-feature.ts";
import type { StepFacts } from "./ledger/step-facts.ts";

const FEATURE_WAIT_MS = 200;

/** Handles one message of the `plan` queue: a step of one ledger, then what follows from it. Idempotent. */
export async function handlePlan(
  ctx: PlannerContext,
  message: PlanMessage,
  messageId: string,
): Promise<void> {
  switch (message.kind) {
    case "feature": {
      const { feature } = message;
      const trace = currentTrace();
      return move(ctx, feature.id, (ledger) => ledger ?? newLedger(feature, slug(feature.title), trace));
    }
    case "cancel": {
      const now = await ctx.connection.now();
      return move(
        ctx,
        message.featureId,
        (ledger) => ledger && cancelFeature(ledger, message.by, now, message.why),
      );
    }
    case "cancel-task": {
      const { taskId, by, why } = message;
      return moveTask(ctx, taskId, (ledger) => cancelTask(ledger, taskId, by, why));
    }
    case "budget": {
      const { featureId, budget } = message;
      await move(ctx, featureId, (ledger) => ledger && giveBudget(ledger, budget));
      // The step set the new cap; reading the budgets after it sends the tasks that waited for it.
      await refreshBudget(ctx, featureId);
      return advance(ctx, featureId);
    }
    case "handoff": {
      const { featureId, handoff, outcome } = message;
      await move(ctx, featureId, (ledger) => ledger && absorbHandoff(ledger, handoff, outcome), [
        handoff.taskId,
      ]);
      return rememberCost(ctx, featureId, handoff.taskId);
    }
    case "retry":
      return moveTask(ctx, message.taskId, (ledger) => retryTask(ledger, message.taskId, message.by));
    case "retry-feature":
      return move(ctx, message.featureId, (ledger) => ledger && retryFeature(ledger, message.by));
    case "approve":
      return moveTask(ctx, message.taskId, (ledger, facts) => decideHeld(ledger, message, facts));
    case "answer": {
      const { featureId, decisionId, answer } = message;
      return moveDecision(ctx, { featureId, decisionId }, (ledger, of, facts) =>
        answerDecision(ledger, of, answer, facts),
      );
    }
    case "due":
      return moveDecision(ctx, message, remindOrEnd);
    case "swept":
      return absorbSweep(ctx, message.sweep, messageId);
    case "audit":
      return audit(ctx);
    case "revert":
    case "pause":
    case "note":
    case "question":
      throw new Fault("message.invalid", `plan message of kind ${message.kind} is not known`);
  }
}

async function move(
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

async function moveTask(
  ctx: PlannerContext,
  taskId: string,
  change: (ledger: Ledger, facts: StepFacts) => Ledger,
): Promise<void> {
  const featureId = await ctx.ledgers.featureOf(taskId);
  if (featureId === null)
    ctx.log.error({ taskId }, "a message names a task that is in no ledger: was Redis wiped?");
  else await move(ctx, featureId, (ledger, facts) => ledger && change(ledger, facts), [taskId]);
}

/** Changes a decision, and moves its feature on. */
export async function moveDecision(
  ctx: PlannerContext,
  { featureId, decisionId }: Pick<Decision, "featureId"> & { readonly decisionId: string },
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

/** Adds the cost of a landed task to the history of costs. A crash may lose one entry. */
async function rememberCost(ctx: PlannerContext, featureId: string, taskId: string): Promise<void> {
  const record = await ctx.ledgers.read(featureId, (ledger) => ledger && findRecord(ledger, taskId));
  if (record?.status !== "landed") return;
  const { task, costUsd, tokens } = record;
  // A task that landed without model calls, or with calls that were not metered, does not help a forecast.
  if (tokens > 0) await ctx.history.add(taskId, { kind: task.kind, costUsd, tokens });
}
