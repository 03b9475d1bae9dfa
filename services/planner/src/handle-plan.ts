import { slug, type Budget, type PersonAction, type PlanMessage } from "@agentswarm/contracts";
import { currentTrace } from "@agentswarm/contracts/node";
import { absorbSweep } from "./absorb-sweep.ts";
import { advance } from "./advance.ts";
import { applyPause } from "./apply-pause.ts";
import { audit } from "./audit.ts";
import { refreshBudget } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { absorbHandoff } from "./ledger/absorb-handoff.ts";
import { cancelTask } from "./ledger/cancel-task.ts";
import { answerDecision } from "./ledger/decisions/answer-decision.ts";
import { decideHeld } from "./ledger/decisions/held-landing.ts";
import { remindOrEnd } from "./ledger/decisions/remind-or-end.ts";
import { findRecord } from "./ledger/find-tasks.ts";
import { newLedger, type Ledger } from "./ledger/ledger.ts";
import { noteAction } from "./ledger/note-action.ts";
import { takeNote } from "./ledger/notes.ts";
import { cancelFeature, giveBudget, retryTask } from "./ledger/person-actions.ts";
import { absorbQuestion } from "./ledger/questions.ts";
import { revertFeature } from "./ledger/revert-feature.ts";
import { retryFeature } from "./ledger/retry-feature.ts";
import type { StepFacts } from "./ledger/step-facts.ts";
import { move, moveDecision, moveTask } from "./move.ts";

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
      const { featureId, by, why } = message;
      const cancel = acted({ action: "cancel", ...message, taskId: null }, (ledger) =>
        cancelFeature(ledger, by, now, why),
      );
      return move(ctx, featureId, (ledger, facts) => ledger && cancel(ledger, facts));
    }
    case "cancel-task": {
      const { taskId, by, why } = message;
      const action = { action: "cancel-task", ...message } as const;
      return moveTask(
        ctx,
        taskId,
        acted(action, (ledger) => cancelTask(ledger, taskId, by, why)),
      );
    }
    case "budget": {
      const { featureId, budget } = message;
      const give = acted({ action: "budget", ...message, taskId: null, why: capsOf(budget) }, (ledger) =>
        giveBudget(ledger, budget),
      );
      await move(ctx, featureId, (ledger, facts) => ledger && give(ledger, facts));
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
    case "retry": {
      const { taskId, by } = message;
      const action = { action: "retry-task", ...message, why: "" } as const;
      return moveTask(
        ctx,
        taskId,
        acted(action, (ledger) => retryTask(ledger, taskId, by)),
      );
    }
    case "retry-feature": {
      const { featureId, by } = message;
      const again = acted({ action: "retry", ...message, taskId: null, why: "" }, (ledger) =>
        retryFeature(ledger, by),
      );
      return move(ctx, featureId, (ledger, facts) => ledger && again(ledger, facts));
    }
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
    case "note": {
      const { featureId, taskId } = message;
      const about = taskId === null ? [] : [taskId];
      return move(ctx, featureId, (ledger) => ledger && takeNote(ledger, message), about);
    }
    case "revert": {
      const { featureId, by, via, why } = message;
      const at = await ctx.connection.now();
      const revert = acted({ action: "revert", ...message, taskId: null }, (ledger) =>
        revertFeature(ledger, { by, via, why, at }),
      );
      return move(ctx, featureId, (ledger, facts) => ledger && revert(ledger, facts));
    }
    case "pause":
      return applyPause(ctx, message, (featureId, change) => move(ctx, featureId, change));
    case "question": {
      const { featureId, taskId } = message;
      return move(ctx, featureId, (ledger, facts) => ledger && absorbQuestion(ledger, message, facts), [
        taskId,
      ]);
    }
    case "swept":
      return absorbSweep(ctx, message.sweep, messageId);
    case "audit":
      return audit(ctx);
  }
}

/** A step that a person asks for: the event says who did it. */
function acted({ action, by, via, taskId, why }: PersonAction, change: (ledger: Ledger) => Ledger) {
  return (ledger: Ledger, { at }: StepFacts): Ledger =>
    noteAction(ledger, change(ledger), { action, by, via, taskId, why }, at);
}

/** Example: `at most 5 US dollars`. */
function capsOf({ usd, tokens }: Budget): string {
  const caps = [usd === undefined ? [] : `${usd} US dollars`, tokens === undefined ? [] : `${tokens} tokens`];
  return `at most ${caps.flat().join(" and ")}`;
}

/** Adds the cost of a landed task to the history of costs. A crash may lose one entry. */
async function rememberCost(ctx: PlannerContext, featureId: string, taskId: string): Promise<void> {
  const record = await ctx.ledgers.read(featureId, (ledger) => ledger && findRecord(ledger, taskId));
  if (record?.status !== "landed") return;
  const { task, costUsd, tokens } = record;
  // A task that landed without model calls, or with calls that were not metered, does not help a forecast.
  if (tokens > 0) await ctx.history.add(taskId, { kind: task.kind, costUsd, tokens });
}
