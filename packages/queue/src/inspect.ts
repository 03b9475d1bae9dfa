import { Fault, QUEUE_NAMES, type MessageOf, type QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";
import { forgetCrashes } from "./crash-budget.ts";
import { unseal } from "./envelope.ts";

export type JobState = "waiting" | "prioritized" | "delayed" | "active" | "completed" | "failed" | "missing";

/** Where a job stands; `missing` when there is none of this id. */
export async function jobState(
  connection: QueueConnection,
  queue: QueueName,
  jobId: string,
): Promise<JobState> {
  const state = await connection.queue(queue).getJobState(jobId);
  return state === "unknown" || state === "waiting-children" ? "missing" : state;
}

/** What a job carries, or null when there is none of this id or it cannot be read. */
export async function jobBody<Q extends QueueName>(
  connection: QueueConnection,
  queue: Q,
  jobId: string,
): Promise<MessageOf<Q> | null> {
  const job = await connection.queue(queue).getJob(jobId);
  if (!job) return null;
  const opened = unseal(queue, job.data);
  return opened.kind === "message" ? opened.body : null;
}

/** What all jobs carry that wait in a queue or are being handled; one that cannot be read is left out. */
export async function pendingBodies<Q extends QueueName>(
  connection: QueueConnection,
  queue: Q,
): Promise<MessageOf<Q>[]> {
  const jobs = await connection.queue(queue).getJobs(["active", "waiting", "prioritized", "delayed"]);
  return jobs.flatMap((job) => {
    // A job may have gone between the listing and the reading.
    const opened = job ? unseal(queue, job.data) : null;
    return opened?.kind === "message" ? [opened.body] : [];
  });
}

/** Forgets a job that is not active, so that its id can be sent again. */
export async function removeJob(connection: QueueConnection, queue: QueueName, jobId: string): Promise<void> {
  const removed = await connection.queue(queue).remove(jobId);
  if (removed === 1) await forgetCrashes(connection, queue, jobId);
}

/** Jobs per queue and state. */
export async function queueCounts(
  connection: QueueConnection,
): Promise<Record<QueueName, Record<string, number>>> {
  const counts = await Promise.all(
    QUEUE_NAMES.map(async (name) => [name, await connection.queue(name).getJobCounts()] as const),
  );
  return Object.fromEntries(counts) as Record<QueueName, Record<string, number>>;
}

/** Resolves when Redis answered in time; throws Fault `redis.unavailable` otherwise. */
export async function ping(connection: QueueConnection, deadlineMs: number): Promise<void> {
  await withDeadline(connection.redis.ping(), deadlineMs);
}

/** The promise's value, or Fault `redis.unavailable` after `deadlineMs`: commands hang while a server is silent. */
export async function withDeadline<T>(promise: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new Fault("redis.unavailable", `Redis did not answer within ${deadlineMs} ms`, { retryable: true }),
      );
    }, deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
