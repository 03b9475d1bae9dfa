import { slug, type PlanMessage } from "@agentswarm/contracts";
import { currentTrace } from "@agentswarm/contracts/node";
import { absorbSweep } from "./absorb-sweep.ts";
import { advance } from "./advance.ts";
import { applyPause } from "./apply-pause.ts";
import { audit } from "./audit.ts";
import { refreshBudget } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { absorbHandoff } from "./ledger/absorb-handoff.ts";
import { answerDecision } from "./ledger/decisions/answer-decision.ts";
import { decideHeld } from "./ledger/decisions/held-landing.ts";
import { remindOrEnd } from "./ledger/decisions/remind-or-end.ts";
import { findRecord } from "./ledger/find-tasks.ts";
import { newLedger } from "./ledger/ledger.ts";
import { takeNote } from "./ledger/notes.ts";
import { absorbQuestion } from "./ledger/questions.ts";
import { takeAction } from "./ledger/take-action.ts";
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
    case "cancel":
    case "retry-feature":
    case "revert":
      return move(ctx, message.featureId, (ledger, facts) => ledger && takeAction(ledger, message, facts));
    case "cancel-task":
    case "retry":
      return moveTask(ctx, message.taskId, (ledger, facts) => takeAction(ledger, message, facts));
    case "budget": {
      const { featureId } = message;
      await move(ctx, featureId, (ledger, facts) => ledger && takeAction(ledger, message, facts));
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

/** Adds the cost of a landed task to the history of costs. A crash may lose one entry. */
async function rememberCost(ctx: PlannerContext, featureId: string, taskId: string): Promise<void> {
  const record = await ctx.ledgers.read(featureId, (ledger) => ledger && findRecord(ledger, taskId));
  if (record?.status !== "landed") return;
  const { task, costUsd, tokens } = record;
  // A task that landed without model calls, or with calls that were not metered, does not help a forecast.
  if (tokens > 0) await ctx.history.add(taskId, { kind: task.kind, costUsd, tokens });
}
