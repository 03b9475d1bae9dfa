import { jobId, trunkHealthId } from "@agentswarm/contracts";
import { jobState, type JobState } from "@agentswarm/queue";
import { advance } from "./advance.ts";
import { carryOut, sendTask, step } from "./carry-out.ts";
import { retry } from "./ledger/absorb-handoff.ts";
import {
  findRecord,
  isUnsettled,
  isUnderWay,
  withRecord,
  type Ledger,
  type TaskRecord,
} from "./ledger/ledger.ts";
import { settle } from "./ledger/settle.ts";
import { isSweepOnItsWay, tasksOnTheirWay } from "./on-its-way.ts";
import type { PlannerContext } from "./context.ts";

const IN_A_QUEUE: ReadonlySet<JobState> = new Set(["waiting", "prioritized", "delayed", "active"]);

/**
 * Does again what got lost: what a crash left pending, the same round of a task when its job is gone, the next one
 * when the job ended without a handoff. A task is believed lost only when two audits in a row miss it.
 */
export async function audit(ctx: PlannerContext): Promise<void> {
  const ledgers = await ctx.ledgers.open();
  for (const ledger of ledgers) {
    await carryOut(ctx, ledger);
    await auditTasks(ctx, ledger);
    // A step that changes nothing still notes how the budgets stand.
    await step(ctx, ledger.feature.id, (now) => now);
    await advance(ctx, ledger.feature.id);
  }
  await auditSweeps(ctx, ledgers);
}

async function auditTasks(ctx: PlannerContext, ledger: Ledger): Promise<void> {
  const states = new Map<TaskRecord, JobState>();
  for (const record of ledger.tasks.filter(isUnderWay)) {
    const state = await jobState(ctx.connection, "task", jobId.task(record.task.id, record.round));
    if (!IN_A_QUEUE.has(state)) states.set(record, state);
    else if (record.missed) await mark(ctx, record, false);
  }
  if (states.size === 0) return;
  // A task's job ends after its message went on, so that this look comes after the one above.
  const onTheirWay = await tasksOnTheirWay(ctx.connection);
  for (const [record, state] of states) {
    const missed = !onTheirWay.has(record.task.id);
    if (missed && record.missed) await sendLost(ctx, record, state);
    else if (missed !== record.missed) await mark(ctx, record, missed);
  }
}

/** Sends a task's round again, or its next one where the job ended and nothing came of it. */
async function sendLost(ctx: PlannerContext, { task, round }: TaskRecord, state: JobState): Promise<void> {
  const current = findRecord((await ctx.ledgers.get(task.featureId)) ?? { tasks: [] }, task.id);
  if (current === undefined || current.round !== round || !isUnderWay(current)) return;
  ctx.log.warn({ featureId: task.featureId, taskId: task.id, round, state }, "a task got lost; sent again");
  if (state === "missing") {
    await sendTask(ctx, current);
    return mark(ctx, current, false);
  }
  // It costs of the machine's budget, for a task that ends its dispatcher each time would be sent for ever.
  const why = `round ${round} ended (${state}) and no handoff came of it`;
  await step(ctx, task.featureId, (now) => {
    const newest = now === null ? undefined : findRecord(now, task.id);
    if (now === null || newest === undefined || newest.round !== round || !isUnderWay(newest)) return now;
    return settle(retry(now, newest, why, false));
  });
}

async function mark(ctx: PlannerContext, { task, round }: TaskRecord, missed: boolean): Promise<void> {
  await ctx.ledgers.update(task.featureId, (now) => {
    const current = now === null ? undefined : findRecord(now, task.id);
    if (now === null || current?.round !== round || !isUnderWay(current) || current.missed === missed)
      return now;
    return withRecord(now, task.id, { missed });
  });
}

/** Features that wait for green get a sweep when none is on its way and nobody is mending the trunk. */
async function auditSweeps(ctx: PlannerContext, ledgers: readonly Ledger[]): Promise<void> {
  const verifying = ledgers.filter((ledger) => ledger.status === "verifying");
  for (const repoId of new Set(verifying.map((ledger) => ledger.feature.repoId))) {
    const health = ledgers.find((ledger) => ledger.feature.id === trunkHealthId(repoId));
    if (health?.tasks.some(isUnsettled) || (await isSweepOnItsWay(ctx.connection))) continue;
    await ctx.sender.send("sweep", { why: "last-task", repoId });
  }
}
