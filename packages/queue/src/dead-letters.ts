import { Fault, type QueueName } from "@agentswarm/contracts";
import { queueOf } from "./bull-side.ts";
import type { QueueConnection } from "./connect.ts";
import { forgetCrashes } from "./crash-count.ts";

/** A job that ended as failed: a dead letter, or one that was cancelled while it was active. */
export interface FailedJob {
  readonly id: string;
  readonly failedReason: string;
  /** Milliseconds since 1970, by the worker's clock; null when it is not known. */
  readonly finishedOn: number | null;
  /** How often the job was started. */
  readonly attempts: number;
}

/** The failed jobs of a queue, newest first. Only the newest thousand of them are kept. */
export async function listFailedJobs(
  connection: QueueConnection,
  queue: QueueName,
  { limit }: { limit: number },
): Promise<FailedJob[]> {
  if (limit < 1) return [];
  const jobs = await queueOf(connection, queue).getJobs(["failed"], 0, limit - 1);
  return jobs.flatMap(({ id, failedReason, finishedOn, attemptsStarted }) =>
    id === undefined
      ? []
      : [{ id, failedReason: failedReason ?? "", finishedOn: finishedOn ?? null, attempts: attemptsStarted }],
  );
}

/** BullMQ's codes of a refused retry (`ErrorCode.JobNotExist`, `ErrorCode.JobNotInState`). */
const MISSING = -1;
const NOT_FAILED = -3;

/**
 * Puts a failed job back to the queue, with its message and trace, and forgets its crashes.
 * Throws Fault `not-found` when the queue has no job of this id, and `conflict` when the job has not failed.
 */
export async function retryJob(connection: QueueConnection, queue: QueueName, jobId: string): Promise<void> {
  const notFound = () => new Fault("not-found", `queue ${queue} has no job ${jobId}`);
  const job = await queueOf(connection, queue).getJob(jobId);
  if (!job) throw notFound();
  // Before the retry: a worker may start the job at once. A job of another state keeps its count.
  if (await job.isFailed()) await forgetCrashes(connection, queue, jobId);
  try {
    await job.retry("failed");
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === MISSING) throw notFound();
    if (code !== NOT_FAILED) throw error;
    throw new Fault(
      "conflict",
      `job ${jobId} of queue ${queue} is ${await job.getState()}: only a failed job can be retried`,
    );
  }
}
