import { isTrunkHealth, jobId, type TaskMessage } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { cancelJob, removeWaitingJob } from "@agentswarm/queue";
import type { PlannerContext } from "./context.ts";
import { inFeatureTrace } from "./feature-trace.ts";
import type { LedgerStep } from "./ledger/apply-step.ts";
import { mergeJobsOf } from "./jobs-under-way.ts";
import { cancelledMeanwhile } from "./ledger/effects-between.ts";
import { recordsById } from "./ledger/events-between.ts";
import { isUnderWay, type TaskRecord } from "./ledger/task-record.ts";
import { needTasks } from "./ledger/find-tasks.ts";
import { answersFor } from "./ledger/questions.ts";
import type { Effect } from "./ledger/effect.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { notesOf } from "./ledger/notes.ts";
import { signalNotes } from "./signal-notes.ts";
import type { OutboxEntry } from "./ledger/outbox.ts";

/**
 * Writes a step of a ledger and carries out its effects, and takes further steps while it leaves tasks to look at. `about`:
 * ids of the tasks that the step is about. Returns the ledger after the first step. Null: there is no such feature.
 */
export async function step(
  ctx: PlannerContext,
  featureId: string,
  change: LedgerStep,
  about: readonly string[] = [],
): Promise<Ledger | null> {
  const first = await ctx.ledgers.update(featureId, change, about);
  let written = first;
  while (written !== null) {
    if (written.entry !== null) await carryOut(ctx, written.ledger, written.entry);
    written = written.more ? await ctx.ledgers.followUp(featureId) : null;
  }
  return first?.ledger ?? null;
}

/** Notes the newest state of the budgets in a ledger, which stops its tasks or sends those that are ready. */
export function refreshBudget(ctx: PlannerContext, featureId: string): Promise<Ledger | null> {
  return step(ctx, featureId, (ledger) => ledger);
}

/**
 * Carries out the effects of one step. They were written with the step, so after a crash the next audit carries them out.
 * Their ids are derived, so a repeated effect changes nothing.
 */
export async function carryOut(ctx: PlannerContext, ledger: Ledger, entry: OutboxEntry): Promise<void> {
  const { id } = ledger.feature;
  failpoint("planner.stored");
  const about = entry.effects.flatMap((effect) =>
    "taskId" in effect && effect.taskId !== null ? [effect.taskId] : [],
  );
  const records = await readTasks(ctx, id, ledger, about);
  await inFeatureTrace(ledger, async () => {
    for (const effect of entry.effects) await carryOutOne(ctx, ledger, effect, records);
    await takeBackMerges(ctx, entry, records);
  });
  failpoint("planner.sent");
  await ctx.ledgers.done(ledger, entry.name);
  await takeBackCancelled(ctx, id, entry);
}

/** The newest records of tasks: those that were read with the ledger, and the others. */
async function readTasks(
  ctx: PlannerContext,
  featureId: string,
  ledger: Ledger,
  taskIds: readonly string[],
): Promise<ReadonlyMap<string, TaskRecord>> {
  const known = recordsById(ledger);
  if (taskIds.every((id) => known.has(id))) return known;
  return ctx.ledgers.read(featureId, (now) => {
    if (now !== null) needTasks(now, taskIds);
    return recordsById(now);
  });
}

/** Cancels tasks that were cancelled while they were being sent: that cancel may have come before the job existed. */
async function takeBackCancelled(
  ctx: PlannerContext,
  featureId: string,
  { effects }: OutboxEntry,
): Promise<void> {
  const sent = effects.filter((effect) => effect.kind === "send");
  if (sent.length === 0) return;
  const newest = await ctx.ledgers.read(featureId, (now) => {
    if (now !== null)
      needTasks(
        now,
        sent.map(({ taskId }) => taskId),
      );
    return recordsById(now);
  });
  for (const effect of cancelledMeanwhile(sent, newest)) await cancelTask(ctx, effect);
}

async function carryOutOne(
  ctx: PlannerContext,
  ledger: Ledger,
  effect: Effect,
  records: ReadonlyMap<string, TaskRecord>,
): Promise<void> {
  switch (effect.kind) {
    case "send": {
      const record = records.get(effect.taskId);
      // A later step may have ended the round before it was sent.
      if (record?.round === effect.round && isUnderWay(record)) await sendTask(ctx, ledger, record);
      return;
    }
    case "cancel":
      return cancelTask(ctx, effect);
    case "signal":
      return signalNotes(ctx, ledger, effect, records);
    case "due": {
      const delayMs = Math.max(0, effect.at - (await ctx.connection.now()));
      const { id: featureId } = ledger.feature;
      const { decisionId } = effect;
      const options = { jobId: jobId.due(decisionId, effect.nth), delayMs };
      return ctx.sender.send("plan", { kind: "due", featureId, decisionId }, options);
    }
    case "not-due":
      return removeWaitingJob(ctx.connection, "plan", jobId.due(effect.decisionId, effect.nth));
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
async function takeBackMerges(
  { connection }: PlannerContext,
  { effects }: OutboxEntry,
  records: ReadonlyMap<string, TaskRecord>,
): Promise<void> {
  const cancelled = effects.flatMap((effect) => {
    if (effect.kind !== "cancel") return [];
    return records.get(effect.taskId)?.status === "cancelled" ? [effect.taskId] : [];
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
  ledger: Pick<Ledger, "notes" | "answers">,
  record: TaskRecord,
): Promise<void> {
  const { task, round, approvedBy, approvedHead, lastHandoff, lastOutcome, parked } = record;
  // The survey is stored once per feature: in the ledger every write would carry it once per task.
  const surveyed = task.context === "" && !isTrunkHealth(task.featureId);
  const context = surveyed ? ((await surveys.get(task.featureId))?.value ?? "") : task.context;
  const notes = notesOf(ledger, record);
  const answers = answersFor(ledger, record);
  const message: TaskMessage = {
    task: { ...task, context },
    round,
    ...(notes.length === 0 ? {} : { notes }),
    ...(parked === null ? {} : { upon: parked }),
    ...(answers.length === 0 ? {} : { answers }),
  };
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
