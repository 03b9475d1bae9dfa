import { isTrunkHealth, jobId, type TaskMessage } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { cancelJob } from "@agentswarm/queue";
import type { PlannerContext } from "./context.ts";
import { inFeatureTrace } from "./feature-trace.ts";
import type { LedgerStep } from "./ledger/apply-step.ts";
import { mergeJobsOf } from "./jobs-under-way.ts";
import { findRecord, isUnderWay, type Effect, type Ledger, type TaskRecord } from "./ledger/ledger.ts";

/** Writes a step of a ledger and carries out its effects. Null: there is no such feature. */
export async function step(
  ctx: PlannerContext,
  featureId: string,
  change: LedgerStep,
): Promise<Ledger | null> {
  const written = await ctx.ledgers.update(featureId, change);
  if (written !== null) await carryOut(ctx, written);
  return written;
}

/** Notes the newest state of the budgets in a ledger, which stops its tasks or sends those that are ready. */
export function refreshBudget(ctx: PlannerContext, featureId: string): Promise<Ledger | null> {
  return step(ctx, featureId, (ledger) => ledger);
}

/**
 * Carries out the pending effects of a ledger. They were written with the step that requires them, so after a crash the
 * next step or audit carries them out. Their ids are derived, so a repeated effect changes nothing.
 */
export async function carryOut(ctx: PlannerContext, ledger: Ledger): Promise<void> {
  const { pending, feature } = ledger;
  if (pending.length === 0) return;
  failpoint("planner.stored");
  await inFeatureTrace(ledger, async () => {
    for (const effect of pending) await carryOutOne(ctx, ledger, effect);
    await takeBackMerges(ctx, ledger);
  });
  failpoint("planner.sent");
  const newest = await ctx.ledgers.done(feature.id, pending);
  if (newest !== null) await cancelIfCancelledMeanwhile(ctx, newest, pending);
}

/** Cancels tasks that were cancelled while they were being sent: that cancel may have come before the job existed. */
async function cancelIfCancelledMeanwhile(
  ctx: PlannerContext,
  newest: Ledger,
  sent: readonly Effect[],
): Promise<void> {
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
      // A later step may have ended the round before it was sent.
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
    case "emit":
      return ctx.sender.event(effect.event);
  }
}

/**
 * Takes the merge requests of tasks that were cancelled out of the merge queue. One that is landing at this moment may
 * reach the trunk first; its handoff then makes the task landed.
 */
async function takeBackMerges({ connection }: PlannerContext, ledger: Ledger): Promise<void> {
  const cancelled = ledger.pending.flatMap((effect) => {
    if (effect.kind !== "cancel") return [];
    const record = findRecord(ledger, effect.taskId);
    return record?.status === "cancelled" ? [record.task.id] : [];
  });
  if (cancelled.length === 0) return;
  for (const id of await mergeJobsOf(connection, new Set(cancelled)))
    await cancelJob(connection, "merge", id);
}

function cancelTask({ connection }: PlannerContext, of: { taskId: string; round: number }): Promise<void> {
  return cancelJob(connection, "task", jobId.task(of.taskId, of.round));
}

/** Sends a task's current round; sending it twice makes one job. */
export async function sendTask(
  { sender, surveys }: PlannerContext,
  { task, round, approvedBy, approvedHead, lastHandoff, lastOutcome }: TaskRecord,
): Promise<void> {
  // The survey is stored once per feature: in the ledger every write would carry it once per task.
  const surveyed = task.context === "" && !isTrunkHealth(task.featureId);
  const context = surveyed ? ((await surveys.get(task.featureId))?.value ?? "") : task.context;
  const message: TaskMessage = { task: { ...task, context }, round };
  if (approvedBy !== null && lastHandoff !== null && lastOutcome?.kind === "held") {
    const { attempt } = lastHandoff;
    message.approved = {
      by: approvedBy,
      attempt,
      baseCommit: lastOutcome.base,
      ...(approvedHead === null ? {} : { head: approvedHead }),
      handoff: { ...lastHandoff, round },
    };
  }
  await sender.send("task", message, { jobId: jobId.task(task.id, round), priority: task.priority });
}
