import type { QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

/** How often a job may take its worker down with it before it is given up on. */
export const CRASH_BUDGET = 5;

/**
 * Counts the starts of a job that had no end. Handing back, putting back, retrying and finishing all count as
 * ends; what remains are crashes of the process, which BullMQ's `attempts` do not see.
 */
export function crashBudget(connection: QueueConnection, queue: QueueName) {
  const key = keyOf(connection, queue);
  return {
    /** Starts without an end before this one. */
    count: async (jobId: string): Promise<number> => Number((await connection.redis.hget(key, jobId)) ?? 0),
    /** Starts without an end so far, this one included. */
    started: (jobId: string): Promise<number> => connection.redis.hincrby(key, jobId, 1),
    ended: async (jobId: string): Promise<void> => {
      await connection.redis.hdel(key, jobId);
    },
  };
}

/** Forgets what was counted for jobs that are taken out of their queue. */
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
