import { jobId, trunkHealthId } from "@agentswarm/contracts";
import { jobState, type JobState } from "@agentswarm/queue";
import { advance } from "./advance.ts";
import { carryOut, refreshBudget, sendTask, step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { inFeatureTrace } from "./feature-trace.ts";
import { isSweepUnderWay, tasksUnderWay } from "./jobs-under-way.ts";
import { retry } from "./ledger/decide-retry.ts";
import { findRecord, isOpen, isUnderWay, withRecord, type Ledger, type TaskRecord } from "./ledger/ledger.ts";

const IN_A_QUEUE: ReadonlySet<JobState> = new Set(["waiting", "prioritized", "delayed", "active"]);

/**
 * Repeats what got lost: effects that a crash left pending, a task's round when its job is gone, and its next round when
 * the job ended without a handoff. A task counts as lost only when two audits in a row miss it.
 */
export async function audit(ctx: PlannerContext): Promise<void> {
  const ledgers = await ctx.ledgers.open();
  for (const ledger of ledgers) await inFeatureTrace(ledger, () => auditFeature(ctx, ledger));
  await auditSweeps(ctx, ledgers);
}

async function auditFeature(ctx: PlannerContext, ledger: Ledger): Promise<void> {
  await carryOut(ctx, ledger);
  await auditTasks(ctx, ledger);
  await refreshBudget(ctx, ledger.feature.id);
  await advance(ctx, ledger.feature.id);
}

async function auditTasks(ctx: PlannerContext, ledger: Ledger): Promise<void> {
  const states = new Map<TaskRecord, JobState>();
  for (const record of ledger.tasks.filter(isUnderWay)) {
    const state = await jobState(ctx.connection, "task", jobId.task(record.task.id, record.round));
    if (!IN_A_QUEUE.has(state)) states.set(record, state);
    else if (record.missed) await mark(ctx, record, false);
  }
  if (states.size === 0) return;
  // A task's job ends after its merge request or handoff was sent, so these queues are read after the task's job.
  const underWay = await tasksUnderWay(ctx.connection);
  for (const [record, state] of states) {
    const missed = !underWay.has(record.task.id);
    if (missed && record.missed) await sendLost(ctx, record, state);
    else if (missed !== record.missed) await mark(ctx, record, missed);
  }
}

/** Sends a task's round again, or its next round when the job ended without a handoff. */
async function sendLost(ctx: PlannerContext, { task, round }: TaskRecord, state: JobState): Promise<void> {
  const current = findRecord((await ctx.ledgers.get(task.featureId)) ?? { tasks: [] }, task.id);
  if (current === undefined || current.round !== round || !isUnderWay(current)) return;
  ctx.log.warn(
    { featureId: task.featureId, taskId: task.id, round, state },
    "the job of a sent task is lost; the task is sent again",
  );
  if (state === "missing") {
    await sendTask(ctx, current);
    return mark(ctx, current, false);
  }
  // Counts as a crash: otherwise a task that kills its dispatcher each time would be retried without end.
  const why = `round ${round} ended (${state}) without a handoff`;
  await step(ctx, task.featureId, (now) => {
    const newest = now === null ? undefined : findRecord(now, task.id);
    if (now === null || newest === undefined || newest.round !== round || !isUnderWay(newest)) return now;
    return retry(now, newest, why, false);
  });
}

async function mark(ctx: PlannerContext, { task, round }: TaskRecord, missed: boolean): Promise<void> {
  await step(ctx, task.featureId, (now) => {
    const current = now === null ? undefined : findRecord(now, task.id);
    if (now === null || current?.round !== round || !isUnderWay(current) || current.missed === missed)
      return now;
    return withRecord(now, task.id, { missed });
  });
}

/** Requests a sweep for features that wait for green when no sweep is under way and no fix task is under way. */
async function auditSweeps(ctx: PlannerContext, ledgers: readonly Ledger[]): Promise<void> {
  // One sweep serves every feature of its repository; it has the trace of the first.
  const first = new Map<string, Ledger>();
  for (const ledger of ledgers) {
    const { repoId } = ledger.feature;
    if (ledger.status === "verifying" && !first.has(repoId)) first.set(repoId, ledger);
  }
  for (const [repoId, ledger] of first) {
    const health = ledgers.find((one) => one.feature.id === trunkHealthId(repoId));
    if (health?.tasks.some(isOpen) || (await isSweepUnderWay(ctx.connection))) continue;
    await inFeatureTrace(ledger, () => ctx.sender.send("sweep", { why: "last-task", repoId }));
  }
}
