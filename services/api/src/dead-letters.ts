import { asFault, type FailedJobSummary, type QueueName } from "@agentswarm/contracts";
import { listFailedJobs, retryJob, type QueueConnection } from "@agentswarm/queue";

/** A queue keeps no more failed jobs than these. */
const KEPT_FAILED = 1_000;

/** Failed jobs of several queues, newest first. */
export async function listDeadLetters(
  connection: QueueConnection,
  queues: readonly QueueName[],
  limit: number,
): Promise<FailedJobSummary[]> {
  const lists = await Promise.all(
    queues.map(async (queue) =>
      (await listFailedJobs(connection, queue, { limit })).map(
        ({ id, failedReason, finishedOn, attempts }): FailedJobSummary => ({
          queue,
          id,
          reason: failedReason,
          failedAt: finishedOn,
          attempts,
        }),
      ),
    ),
  );
  return lists
    .flat()
    .toSorted((a, b) => (b.failedAt ?? 0) - (a.failedAt ?? 0))
    .slice(0, limit);
}

/** Puts all failed jobs of a queue back; resolves with their number. */
export async function retryDeadLetters(connection: QueueConnection, queue: QueueName): Promise<number> {
  let retried = 0;
  for (const { id } of await listFailedJobs(connection, queue, { limit: KEPT_FAILED })) {
    try {
      await retryJob(connection, queue, id);
      retried += 1;
    } catch (error) {
      // Somebody else has retried or removed it meanwhile.
      if (!["not-found", "conflict"].includes(asFault(error).code)) throw error;
    }
  }
  return retried;
}
