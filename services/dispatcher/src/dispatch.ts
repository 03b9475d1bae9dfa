import { attemptRef, Fault, jobId, type Handoff, type MergeOutcome, type Task, type TaskMessage } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts";
import { jobState, nextNumber, type JobContext } from "@agentswarm/queue";
import { runAttempt, type Attempted } from "./attempt.ts";
import { withSlot } from "./slot.ts";
import type { Workshop } from "./workshop.ts";

/**
 * One sending of a task. Every attempt ends in exactly one message: to the merger if it has commits, else a handoff
 * to the planner. When the service died on the way the message comes again; an attempt whose commits were stored
 * and sent is then not run a second time.
 */
export async function dispatch(shop: Workshop, message: TaskMessage, context: JobContext): Promise<string> {
  const { task, round, approved } = message;
  if (approved !== undefined) {
    await sendToMerger(shop, task, approved.handoff, approved.baseCommit, approved.by);
    return `attempt ${approved.attempt} approved by ${approved.by}`;
  }
  const sent = context.startedCount > 1 ? await findSent(shop, task, round) : null;
  if (sent !== null) return `attempt ${sent} was sent before`;

  return withSlot(shop, `${task.id}-${round}`, context.signal, async () => {
    const numbers = await shop.store.attempts(task.id);
    const attempt = await nextNumber(shop.connection, `attempts-${task.id}`, Math.max(0, ...numbers));
    await noteRound(shop, task.id, attempt, round);
    const done = await runAttempt(shop, { task, round, attempt, context });
    await passOn(shop, task, done);
    failpoint("dispatcher.sent");
    return `attempt ${attempt}: ${done.handoff.end}`;
  });
}

async function passOn(shop: Workshop, task: Task, { handoff, baseCommit, stored, unsafe }: Attempted): Promise<void> {
  const { sender } = shop;
  const id = `${task.id}-${handoff.attempt}`;
  const about = { featureId: task.featureId, taskId: task.id, attempt: handoff.attempt };
  await sender.event({ id: `attempt-ended-${id}`, type: "attempt.ended", ...about, data: { ...handoff } });
  if (stored) return sendToMerger(shop, task, handoff, baseCommit);
  const outcome: MergeOutcome | null = unsafe === null ? null : { kind: "unsafe", why: unsafe };
  await sender.send("plan", { kind: "handoff", featureId: task.featureId, handoff, outcome }, { jobId: `handoff-${id}` });
}

async function sendToMerger(shop: Workshop, task: Task, handoff: Handoff, baseCommit: string, approvedBy?: string): Promise<void> {
  if (handoff.headCommit === null) throw new Fault("internal", `attempt ${handoff.attempt} of ${task.id} has no commit`);
  await shop.sender.send(
    "merge",
    {
      taskId: task.id,
      featureId: task.featureId,
      attempt: handoff.attempt,
      ref: attemptRef(task.id, handoff.attempt),
      baseCommit,
      headCommit: handoff.headCommit,
      title: task.title,
      handoff,
      ...(approvedBy === undefined ? {} : { approvedBy }),
    },
    { jobId: jobId.merge(task.id, handoff.attempt, approvedBy !== undefined) },
  );
}

/** Which round an attempt belongs to, so that a redelivered message finds its own. */
async function noteRound(shop: Workshop, taskId: string, attempt: number, round: number): Promise<void> {
  await shop.connection.redis.hset(shop.connection.key("rounds", taskId), String(attempt), String(round));
}

/** The attempt of this round whose result is on its way already, or null. */
async function findSent(shop: Workshop, task: Task, round: number): Promise<number | null> {
  const rounds = await shop.connection.redis.hgetall(shop.connection.key("rounds", task.id));
  for (const [attempt, its] of Object.entries(rounds)) {
    if (Number(its) !== round) continue;
    const merge = await jobState(shop.connection, "merge", jobId.merge(task.id, Number(attempt)));
    const handoff = await jobState(shop.connection, "plan", `handoff-${task.id}-${attempt}`);
    if (merge !== "missing" || handoff !== "missing") return Number(attempt);
  }
  return null;
}
