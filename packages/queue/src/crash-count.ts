import type { QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

/** How often the process may crash during one job before the job becomes a dead letter. */
export const JOB_CRASH_LIMIT = 5;

/**
 * Counts the starts of a job that had no end. Completion, failure, retry and hand-back all count as ends; what remains
 * are crashes of the process, which BullMQ's `attempts` do not count.
 */
export function crashCount(connection: QueueConnection, queue: QueueName) {
  const key = keyOf(connection, queue);
  return {
    /** Starts without an end before this one. */
    read: async (jobId: string): Promise<number> => Number((await connection.redis.hget(key, jobId)) ?? 0),
    started: async (jobId: string): Promise<void> => {
      await connection.redis.hincrby(key, jobId, 1);
    },
    ended: async (jobId: string): Promise<void> => {
      await connection.redis.hdel(key, jobId);
    },
  };
}

/** Forgets the crashes of a job that is removed or retried. */
export async function forgetCrashes(
  connection: QueueConnection,
  queue: QueueName,
  jobId: string,
): Promise<void> {
  await connection.redis.hdel(keyOf(connection, queue), jobId);
}

function keyOf(connection: QueueConnection, queue: QueueName): string {
  return connection.key("crashes", queue);
}
