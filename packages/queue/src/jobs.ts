import { Fault, type MessageOf, type MessageToSend, type QueueName } from "@agentswarm/contracts";
import { queueOf } from "./bull-side.ts";
import type { QueueConnection } from "./connect.ts";
import { seal, unseal } from "./envelope.ts";

export type PendingState = "waiting" | "prioritized" | "delayed" | "active";
export type JobState = PendingState | "completed" | "failed" | "missing";

const PENDING_STATES: readonly PendingState[] = ["active", "waiting", "prioritized", "delayed"];

/** The state of a job; `missing` when the queue has no job of this id. */
export async function jobState(
  connection: QueueConnection,
  queue: QueueName,
  jobId: string,
): Promise<JobState> {
  const state = await queueOf(connection, queue).getJobState(jobId);
  return state === "unknown" || state === "waiting-children" ? "missing" : state;
}

/** The message of a job; null when the queue has no job of this id or the message cannot be read. */
export async function jobBody<Q extends QueueName>(
  connection: QueueConnection,
  queue: Q,
  jobId: string,
): Promise<MessageOf<Q> | null> {
  const job = await queueOf(connection, queue).getJob(jobId);
  if (!job) return null;
  const opened = unseal(queue, job.data);
  return opened.kind === "message" ? opened.body : null;
}

const AMEND_TRIES = 50;
/** Replaces the data of a job unless it has changed meanwhile. */
const REPLACE_DATA = `
if redis.call("HGET", KEYS[1], "data") ~= ARGV[1] then return 0 end
redis.call("HSET", KEYS[1], "data", ARGV[2])
return 1`;

/**
 * Changes the message of a job that has not ended. A worker that has the job keeps the message that it was given; whoever
 * gets the job after it gets the changed one. A job that does not exist, or whose message cannot be read, is passed over.
 */
export async function amendJob<Q extends QueueName>(
  connection: QueueConnection,
  queue: Q,
  jobId: string,
  change: (body: MessageOf<Q>) => MessageToSend<Q>,
): Promise<void> {
  const { redis } = connection;
  const key = queueOf(connection, queue).toKey(jobId);
  for (let tries = 0; tries < AMEND_TRIES; tries += 1) {
    const [text, finishedOn] = await redis.hmget(key, "data", "finishedOn");
    if (text == null || finishedOn != null) return;
    const data = JSON.parse(text) as { sentAt: number; trace: string };
    const opened = unseal(queue, data);
    if (opened.kind !== "message") return;
    const amended = JSON.stringify(seal(queue, change(opened.body), data));
    if ((await redis.eval(REPLACE_DATA, 1, key, text, amended)) === 1) return;
  }
  throw new Fault("conflict", `the message of job ${jobId} keeps changing`, { retryable: true });
}

/** Removes a job that has ended. A job that has not is left, and one that does not exist is passed over. */
export async function removeEndedJob(
  connection: QueueConnection,
  queue: QueueName,
  jobId: string,
): Promise<void> {
  const job = await queueOf(connection, queue).getJob(jobId);
  if (job && ((await job.isCompleted()) || (await job.isFailed()))) await job.remove();
}

/** Removes a job that no worker has taken yet. One that is active is left, and one that does not exist is passed over. */
export async function removeWaitingJob(
  connection: QueueConnection,
  queue: QueueName,
  jobId: string,
): Promise<void> {
  const job = await queueOf(connection, queue).getJob(jobId);
  // BullMQ refuses to remove a job that a worker has locked meanwhile.
  if (job && !(await job.isActive())) await job.remove().catch(() => undefined);
}

/** The ids of the jobs in these states; by default of all jobs that have not ended. Their messages are not read. */
export async function pendingJobIds(
  connection: QueueConnection,
  queue: QueueName,
  states: readonly PendingState[] = PENDING_STATES,
): Promise<string[]> {
  return queueOf(connection, queue).getRanges([...states], 0, -1);
}

/** The ids of the jobs that a worker has now. */
export function activeJobIds(connection: QueueConnection, queue: QueueName): Promise<string[]> {
  return queueOf(connection, queue).getRanges(["active"]);
}
