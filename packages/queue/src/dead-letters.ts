import type { Job } from "bullmq";
import { Fault, type QueueName } from "@agentswarm/contracts";
import { queueOf } from "./bull-side.ts";
import type { QueueConnection } from "./connect.ts";
import { forgetCrashes } from "./crash-count.ts";
import { jobState, type JobState } from "./jobs.ts";

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
  return jobs.flatMap((job) => (job.id === undefined ? [] : [failedJob(job.id, job)]));
}

/** A job that ended as failed; null when the queue has no such job. */
export async function findFailedJob(
  connection: QueueConnection,
  queue: QueueName,
  jobId: string,
): Promise<FailedJob | null> {
  const job = await queueOf(connection, queue).getJob(jobId);
  return job && (await job.isFailed()) ? failedJob(jobId, job) : null;
}

function failedJob(id: string, { failedReason, finishedOn, attemptsStarted }: Job): FailedJob {
  return {
    id,
    failedReason: failedReason ?? "",
    finishedOn: finishedOn ?? null,
    attempts: attemptsStarted,
  };
}

/** BullMQ's codes of a refused retry (`ErrorCode.JobNotExist`, `ErrorCode.JobNotInState`). */
const MISSING = -1;
const NOT_FAILED = -3;

/**
 * Puts a failed job back to the queue, with its message and trace, and forgets its crashes.
 * Throws Fault `not-found` when the queue has no job of this id, and `conflict` when the job has not failed.
 */
export async function retryJob(connection: QueueConnection, queue: QueueName, jobId: string): Promise<void> {
  const refusal = (state: JobState) =>
    state === "missing"
      ? new Fault("not-found", `queue ${queue} has no job ${jobId}`)
      : new Fault("conflict", `job ${jobId} of queue ${queue} is ${state}: only a failed job can be retried`);
  // The state comes first: BullMQ has keys of its own beside the jobs, such as `active`, which are no jobs.
  const state = await jobState(connection, queue, jobId);
  if (state !== "failed") throw refusal(state);
  const job = await queueOf(connection, queue).getJob(jobId);
  if (!job) throw refusal("missing");
  // Before the retry: a worker may start the job at once.
  await forgetCrashes(connection, queue, jobId);
  try {
    await job.retry("failed");
  } catch (error) {
    // Another retry was first.
    const { code } = error as { code?: unknown };
    if (code !== MISSING && code !== NOT_FAILED) throw error;
    throw refusal(await jobState(connection, queue, jobId));
  }
}
