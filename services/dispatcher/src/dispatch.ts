import { Fault, jobId, type Task, type TaskMessage } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { jobState, nextNumber, type JobContext } from "@agentswarm/queue";
import { runAttempt, type Attempted } from "./attempt.ts";
import { without } from "./decide-end.ts";
import { passOn, sendToMerger } from "./pass-on.ts";
import { withSlot } from "./slot.ts";
import type { Workshop } from "./workshop.ts";

/**
 * One sending of a task. Every attempt ends in exactly one message: to the merger if it has work to land, else a
 * handoff to the planner. When the service died on the way the message comes again and the next attempt is opened,
 * unless the one before was sent already.
 */
export async function dispatch(shop: Workshop, message: TaskMessage, context: JobContext): Promise<string> {
  const { task, round, approved } = message;
  if (approved !== undefined) {
    await sendToMerger(shop, task, approved.handoff, approved.baseCommit, approved.by);
    return `attempt ${approved.attempt} approved by ${approved.by}`;
  }
  const sent = await findSent(shop, task.id, round);
  if (sent !== null) return `attempt ${sent} was sent before`;
  try {
    return await withSlot(shop, `${task.id}-${round}`, context.signal, () =>
      openAttempt(shop, message, context),
    );
  } catch (error) {
    if (!isCancelled(context.signal)) throw error;
    // Cancelled while it waited for a place; the planner hears of it like of any other ending.
    const attempt = await numberAttempt(shop, task.id, round);
    return finish(shop, message, unworked(message, attempt, "cancelled", "cancelled before it began"));
  }
}

async function openAttempt(shop: Workshop, message: TaskMessage, context: JobContext): Promise<string> {
  const { task, round } = message;
  const attempt = await numberAttempt(shop, task.id, round);
  // No sandbox need be opened to hear that there is no money.
  const usedUp = await shop.budgets.usedUp(task.featureId);
  if (usedUp !== null) return finish(shop, message, unworked(message, attempt, "budget", usedUp.why));
  let attempted: Attempted;
  try {
    attempted = await runAttempt(shop, { task, round, attempt, context });
  } catch (error) {
    const fault = Fault.from(error);
    if (fault.retryable || context.signal.aborted) throw fault;
    // Such as a swarm.json that cannot be read: trying again by itself will not help, so the planner must know.
    shop.log.error({ err: error, taskId: task.id, attempt }, "the attempt could not be carried out");
    attempted = unworked(message, attempt, "failed", `${fault.code}: ${fault.message}`);
  }
  return finish(shop, message, attempted);
}

async function finish(shop: Workshop, { task, round }: TaskMessage, attempted: Attempted): Promise<string> {
  const { attempt, end } = attempted.handoff;
  await passOn(shop, task, attempted);
  failpoint("dispatcher.sent");
  await shop.rounds.sent(task.id, round, attempt);
  return `attempt ${attempt}: ${end}`;
}

function isCancelled(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason === "cancel";
}

/** An attempt that came to nothing before an agent ran. */
function unworked(
  { task, round }: TaskMessage,
  attempt: number,
  end: "cancelled" | "failed" | "budget",
  reason: string,
): Attempted {
  const handoff = { ...without(end, reason), taskId: task.id, attempt, round, model: "none" };
  return { handoff, baseCommit: "", stored: false, unsafe: null };
}

async function numberAttempt(shop: Workshop, taskId: string, round: number): Promise<number> {
  const stored = await shop.store.attempts(taskId);
  const attempt = await nextNumber(shop.connection, `attempts-${taskId}`, Math.max(0, ...stored));
  await shop.rounds.opened(taskId, round, attempt);
  return attempt;
}

/** The attempt of this round whose message is out already, or null. It may be out without having been noted. */
async function findSent(shop: Workshop, taskId: Task["id"], round: number): Promise<number | null> {
  const found = await shop.rounds.get(taskId, round);
  if (found === null || found.sent !== null) return found?.sent ?? null;
  for (const attempt of found.attempts.toReversed()) {
    const merge = await jobState(shop.connection, "merge", jobId.merge(taskId, attempt));
    const handoff = await jobState(shop.connection, "plan", jobId.handoff(taskId, attempt));
    if (merge !== "missing" || handoff !== "missing") return attempt;
  }
  return null;
}
