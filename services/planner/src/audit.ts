import { asFault, jobId, trunkHealthId } from "@agentswarm/contracts";
import { acquireLease, jobState } from "@agentswarm/queue";
import { forgetPauses } from "./apply-pause.ts";
import { advance } from "./advance.ts";
import { auditDecisions } from "./audit-decisions.ts";
import { carryOut, refreshBudget, sendTask, step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { inFeatureTrace } from "./feature-trace.ts";
import { isSweepUnderWay, jobsUnderWay } from "./jobs-under-way.ts";
import { decideLost, roundName, type JobsUnderWay, type Round } from "./ledger/decide-lost.ts";
import { retry } from "./ledger/decide-retry.ts";
import { countShown, findRecord } from "./ledger/find-tasks.ts";
import { isUnderWay, OPEN } from "./ledger/task-record.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { readOpen } from "./read-open.ts";
import { repeatNotes } from "./signal-notes.ts";
import { whyLost } from "./why-lost.ts";

const LEASE_MS = 30_000;

/**
 * Repeats what got lost: effects that a crash left in the outbox, a task's round when its job is gone, its next round
 * when the job ended without a handoff, and reminders and time-outs of decisions. A task counts as lost only when two audits in a row miss it. Over all replicas one
 * audit runs at a time; while it does, others end at once. What is wrong with one feature does not keep others from it.
 */
export async function audit(ctx: PlannerContext): Promise<void> {
  await using lease = await acquireLease(ctx.connection, "audit", LEASE_MS);
  if (lease === null) return;
  const ledgers = await readOpen(ctx);
  // The rounds are read before the queues, so that a job which is sent meanwhile is not missed.
  const rounds = new Map<Ledger, Round[]>();
  for (const ledger of ledgers) rounds.set(ledger, await readRounds(ctx, ledger));
  const known = await jobsUnderWay(ctx.connection);
  for (const [ledger, underWay] of rounds) {
    if (lease.lost.aborted) return;
    const { id: featureId } = ledger.feature;
    try {
      await inFeatureTrace(ledger, () => auditFeature(ctx, ledger, underWay, known));
    } catch (error) {
      const fault = asFault(error);
      if (fault.source === "machine") throw fault;
      ctx.log.error({ featureId, err: fault }, "a feature could not be audited");
    }
  }
  await forgetPauses(ctx);
  await auditSweeps(ctx, ledgers);
  await auditDecisions(ctx);
}

/** The tasks of a feature that are under way, each with its round. */
async function readRounds({ ledgers }: PlannerContext, ledger: Ledger): Promise<Round[]> {
  if (countShown(ledger, ["sent"]) === 0) return [];
  return [...(await ledgers.underWay(ledger.feature.id))].map(([taskId, round]) => ({ taskId, round }));
}

async function auditFeature(
  ctx: PlannerContext,
  ledger: Ledger,
  underWay: readonly Round[],
  known: JobsUnderWay,
): Promise<void> {
  const { id } = ledger.feature;
  if ((ledger.rest?.outbox ?? 0) > 0)
    for (const entry of await ctx.ledgers.outbox(ledger)) await carryOut(ctx, ledger, entry);
  if (countShown(ledger, ["sent"]) > 0) {
    const missed = decideLost(underWay, known);
    const before = await ctx.ledgers.noteMissed(id, missed.map(roundName));
    for (const round of missed) if (before.has(roundName(round))) await sendLost(ctx, id, round);
    await repeatNotes(ctx, ledger, underWay);
  }
  await refreshBudget(ctx, id);
  await advance(ctx, id);
}

/** Sends a task's round again, or its next round when the job ended without a handoff. */
async function sendLost(ctx: PlannerContext, featureId: string, { taskId, round }: Round): Promise<void> {
  const { ledger, record } = await ctx.ledgers.read(featureId, (now) => ({
    ledger: now,
    record: now === null ? undefined : findRecord(now, taskId),
  }));
  if (ledger === null || record === undefined) return;
  if (record.round !== round || !isUnderWay(record)) return;
  const state = await jobState(ctx.connection, "task", jobId.task(taskId, round));
  ctx.log.warn({ featureId, taskId, round, state }, "the job of a sent task is lost; the task is sent again");
  if (state === "missing") return sendTask(ctx, ledger, record);
  const why = await whyLost(ctx.connection, { taskId, round }, state);
  await step(
    ctx,
    featureId,
    (now) => {
      const newest = now === null ? undefined : findRecord(now, taskId);
      if (now === null || newest === undefined || newest.round !== round || !isUnderWay(newest)) return now;
      // Counts as a crash: otherwise a task that kills its dispatcher each time would be retried without end.
      return retry(now, newest, why, "crashes");
    },
    [taskId],
  );
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
    const fixing = health !== undefined && countShown(health, OPEN) > 0;
    if (fixing || (await isSweepUnderWay(ctx.connection))) continue;
    await inFeatureTrace(ledger, () => ctx.sender.send("sweep", { why: "last-task", repoId }));
  }
}
