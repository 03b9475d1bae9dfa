import { jobId, isTrunkHealth, type TaskMessage } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { cancelJob } from "@agentswarm/queue";
import { findRecord, isUnderWay, type Effect, type Ledger, type TaskRecord } from "./ledger/ledger.ts";
import { noteBudget } from "./ledger/note-budget.ts";
import type { PlannerContext } from "./context.ts";

/**
 * Writes a pure step of a ledger and does what it calls for. What the step is taken on knows of the newest state of
 * the budgets, so that nothing is sent which nobody can pay for. Null: there is no such feature.
 */
export async function step(
  ctx: PlannerContext,
  featureId: string,
  change: (ledger: Ledger | null) => Ledger | null,
): Promise<Ledger | null> {
  const usedUp = await ctx.budgets.usedUp(featureId);
  const written = await ctx.ledgers.update(featureId, (ledger) => {
    if (ledger !== null) return change(noteBudget(ledger, usedUp));
    const made = change(null);
    return made && noteBudget(made, usedUp);
  });
  if (written !== null) await carryOut(ctx, written);
  return written;
}

/**
 * Does what is pending in a ledger. It was written with the step that calls for it, so a crash at any point leaves
 * it to whoever comes next; ids are derived, so done twice is done once.
 */
export async function carryOut(ctx: PlannerContext, ledger: Ledger): Promise<void> {
  const { pending, feature } = ledger;
  if (pending.length === 0) return;
  failpoint("planner.stored");
  for (const effect of pending) await carryOutOne(ctx, ledger, effect);
  failpoint("planner.sent");
  const newest = await ctx.ledgers.done(feature.id, pending);
  if (newest !== null) await takeBack(ctx, newest, pending);
}

/** Cancels what somebody called off while it was being sent: their own cancelling may have come before it. */
async function takeBack(ctx: PlannerContext, newest: Ledger, sent: readonly Effect[]): Promise<void> {
  for (const effect of sent) {
    if (effect.kind !== "send") continue;
    const record = findRecord(newest, effect.taskId);
    if (record?.status === "cancelled" && record.round === effect.round) await cancelTask(ctx, effect);
  }
}

async function carryOutOne(ctx: PlannerContext, ledger: Ledger, effect: Effect): Promise<void> {
  switch (effect.kind) {
    case "send": {
      const record = findRecord(ledger, effect.taskId);
      // What was sent in vain before a later step need not be sent at all.
      if (record?.round === effect.round && isUnderWay(record)) await sendTask(ctx, record);
      return;
    }
    case "cancel":
      return cancelTask(ctx, effect);
    case "cap":
      return ctx.budgets.setFeatureCap(ledger.feature.id, ledger.feature.budget ?? {}, effect.version);
    case "sweep":
      return ctx.sender.send(
        "sweep",
        { why: effect.why, repoId: ledger.feature.repoId },
        { jobId: effect.jobId },
      );
    case "tell":
      return ctx.sender.event(effect.event);
  }
}

function cancelTask({ connection }: PlannerContext, of: { taskId: string; round: number }): Promise<void> {
  return cancelJob(connection, "task", jobId.task(of.taskId, of.round));
}

/** Sends a task's current round; sending it twice makes one job. */
export async function sendTask(
  { sender, surveys }: PlannerContext,
  { task, round, approvedBy, lastHandoff, lastOutcome }: TaskRecord,
): Promise<void> {
  // The survey is kept once per feature, for every write of the ledger would carry it once per task.
  const kept = task.context === "" && !isTrunkHealth(task.featureId);
  const context = kept ? ((await surveys.get(task.featureId))?.value ?? "") : task.context;
  const message: TaskMessage = { task: { ...task, context }, round };
  if (approvedBy !== null && lastHandoff !== null && lastOutcome?.kind === "held") {
    const { attempt } = lastHandoff;
    message.approved = {
      by: approvedBy,
      attempt,
      baseCommit: lastOutcome.base,
      handoff: { ...lastHandoff, round },
    };
  }
  await sender.send("task", message, { jobId: jobId.task(task.id, round), priority: task.priority });
}
