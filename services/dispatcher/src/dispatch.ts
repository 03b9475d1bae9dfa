import {
  asFault,
  jobId,
  ROLE_OF_KIND,
  type Handoff,
  type Task,
  type TaskMessage,
} from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { jobState, nextNumber, type JobContext } from "@agentswarm/queue";
import { runAttempt } from "./attempt.ts";
import { openAttemptEvents } from "./attempt-events.ts";
import type { DispatcherContext } from "./context.ts";
import { decideRecipient } from "./decide-recipient.ts";
import type { EndedAttempt } from "./ended-attempt.ts";
import { failedResult } from "./failed-result.ts";
import { openNoteBox } from "./note-box.ts";
import { makeRevertAttempt } from "./make-revert-attempt.ts";
import { passOn } from "./pass-on.ts";
import { persevere } from "./persevere.ts";
import { requireRoom } from "./require-room.ts";
import { sendApproved } from "./send-approved.ts";
import { withSlot } from "./with-slot.ts";
import { writeDiff } from "./write-diff.ts";

/**
 * Handles one sending of a task. Every attempt ends in exactly one message: a merge request if it has work to land, else
 * a handoff to the planner. After a crash the message is delivered again, and the next attempt is opened unless the
 * message of the one before was sent, or what it brought was kept.
 */
export async function dispatch(
  ctx: DispatcherContext,
  message: TaskMessage,
  job: JobContext,
): Promise<string> {
  const { task, round, approved } = message;
  if (approved !== undefined) {
    await ctx.pauses.requireNone(task.featureId);
    return sendApproved(ctx, message, approved);
  }
  const sent = await findSent(ctx, task.id, round);
  if (sent !== null) return `attempt ${sent} was sent before`;
  const kept = await ctx.repo(task.repoId).finished.find(task.id, round);
  if (kept !== null) return handOver(ctx, message, kept, job);
  // The message was sent, or taken by this consumer, before the pause began.
  await ctx.pauses.requireNone(task.featureId);
  if (task.kind === "revert") return revert(ctx, message, job);
  try {
    return await withSlot(ctx, job.signal, (signal) => openAttempt(ctx, message, { ...job, signal }));
  } catch (error) {
    if (!isCancelled(job.signal)) throw error;
    // A task that is cancelled while it waits for a slot gets its handoff like any other.
    const attempt = await numberAttempt(ctx, task, round);
    return finish(ctx, message, unopened(message, attempt, "cancelled", "cancelled before it began"));
  }
}

async function openAttempt(ctx: DispatcherContext, message: TaskMessage, job: JobContext): Promise<string> {
  const { task, round } = message;
  // Once more: the task may have waited for its slot since.
  await ctx.pauses.requireNone(task.featureId);
  // Without a model the task waits with the reason; an attempt would only end as lost.
  const outage = await ctx.outage(ROLE_OF_KIND[task.kind]);
  if (outage !== null) throw outage;
  // Without budget no sandbox is opened.
  const usedUp = await ctx.budgets.usedUp(task.featureId);
  if (usedUp !== null) {
    const attempt = await numberAttempt(ctx, task, round);
    return finish(ctx, message, unopened(message, attempt, "budget", usedUp.why));
  }
  // Before the attempt has a number: a fault of the trunk or the machine, retried for hours, uses up none.
  const repo = ctx.repo(task.repoId);
  await requireRoom(ctx.bundlesDir);
  await repo.mirror.fetch();
  const base = await repo.base();
  await ctx.trunkStates.requireNoHold(task.repoId);
  const attempt = await numberAttempt(ctx, task, round);
  const events = openAttemptEvents(ctx, task, attempt, job);
  const notes = openNoteBox({ before: message.notes ?? [], onHeard: events.heard });
  let ended: EndedAttempt;
  try {
    const { upon, answers = [] } = message;
    ended = await runAttempt(ctx, { task, round, attempt, job, events, base, notes, upon, answers });
  } catch (error) {
    const fault = asFault(error);
    // Only what the agent brought ends its attempt; every other fault leaves the task as it was.
    const isRetried = fault.source !== "agent" || job.signal.aborted;
    const reason = `${fault.code}: ${fault.message}`;
    ended = unopened(message, attempt, isRetried ? "lost" : "failed", reason);
    await events.ended(ended.handoff);
    if (isRetried) throw fault;
    ctx.log.error({ err: error, featureId: task.featureId, taskId: task.id, attempt }, "attempt failed");
  }
  return handOver(ctx, message, ended, job);
}

/** Takes landings back, beside all agents: it needs no slot, no sandbox, no model and no budget. */
async function revert(ctx: DispatcherContext, message: TaskMessage, job: JobContext): Promise<string> {
  const { task, round } = message;
  await ctx.repo(task.repoId).mirror.fetch();
  const attempt = await numberAttempt(ctx, task, round);
  const ended = isCancelled(job.signal)
    ? unopened(message, attempt, "cancelled", "cancelled before it began")
    : await makeRevertAttempt(ctx, task, { attempt, round });
  const sentTo = decideRecipient(ended).queue;
  await ctx.sender.event({
    id: `attempt-ended-${task.id}-${attempt}`,
    type: "attempt.ended",
    repoId: task.repoId,
    featureId: task.featureId,
    taskId: task.id,
    attempt,
    data: { ...ended.handoff, sentTo },
  });
  return persevere(job, () => finish(ctx, message, ended));
}

/** Passes an attempt on, as often as that needs: its work is kept until then. */
async function handOver(
  ctx: DispatcherContext,
  message: TaskMessage,
  ended: EndedAttempt,
  job: JobContext,
): Promise<string> {
  const { repoId } = message.task;
  const { taskId, attempt } = ended.handoff;
  const done = await persevere(job, () => finish(ctx, message, ended));
  // A file that stays is passed on again by nobody: the round is noted as sent.
  await ctx
    .repo(repoId)
    .finished.forget(taskId, attempt)
    .catch(() => undefined);
  return done;
}

async function finish(
  ctx: DispatcherContext,
  { task, round }: TaskMessage,
  ended: EndedAttempt,
): Promise<string> {
  const { attempt, end } = ended.handoff;
  // Before anybody is asked to look at it.
  await writeDiff(ctx, task, ended);
  await passOn(ctx, task, ended);
  failpoint("dispatcher.sent");
  await ctx.rounds.sent(task.id, round, attempt);
  return `attempt ${attempt}: ${end}`;
}

function isCancelled(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason === "cancel";
}

function unopened(
  { task, round }: TaskMessage,
  attempt: number,
  end: Handoff["end"],
  reason: string,
): EndedAttempt {
  const handoff = { ...failedResult(end, reason), taskId: task.id, attempt, round, model: "none" };
  return { kind: "unopened", handoff };
}

/** Gives the next attempt its number, and notes the attempt with its round. */
async function numberAttempt(ctx: DispatcherContext, task: Task, round: number): Promise<number> {
  const stored = await ctx.repo(task.repoId).store.attempts(task.id);
  const attempt = await nextNumber(ctx.connection, `attempts-${task.id}`, Math.max(0, ...stored));
  await ctx.rounds.opened(task.id, round, attempt);
  ctx.log.info({ featureId: task.featureId, taskId: task.id, attempt, round }, "attempt opened");
  return attempt;
}

/** The attempt of this round whose message was sent, or null. A crash may have come between the message and its note. */
async function findSent(ctx: DispatcherContext, taskId: string, round: number): Promise<number | null> {
  const found = await ctx.rounds.get(taskId, round);
  if (found === null || found.sent !== null) return found?.sent ?? null;
  for (const attempt of found.attempts.toReversed()) {
    const states = await Promise.all([
      jobState(ctx.connection, "merge", jobId.merge(taskId, attempt)),
      jobState(ctx.connection, "merge", jobId.merge(taskId, attempt, true)),
      jobState(ctx.connection, "plan", jobId.handoff(taskId, attempt)),
    ]);
    if (states.some((state) => state !== "missing")) return attempt;
  }
  return null;
}
