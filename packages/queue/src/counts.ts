import { QUEUE_NAMES, type QueueName } from "@agentswarm/contracts";
import { queueOf } from "./bull-side.ts";
import type { QueueConnection } from "./connect.ts";

/** Jobs per queue and state. */
export async function queueCounts(
  connection: QueueConnection,
): Promise<Record<QueueName, Record<string, number>>> {
  const counts = await Promise.all(
    QUEUE_NAMES.map(async (name) => [name, await queueOf(connection, name).getJobCounts()] as const),
  );
  return Object.fromEntries(counts) as Record<QueueName, Record<string, number>>;
}

/** Connected consumers per queue. */
export async function workerCounts(connection: QueueConnection): Promise<Record<QueueName, number>> {
  const counts = await Promise.all(
    QUEUE_NAMES.map(async (name) => [name, await queueOf(connection, name).getWorkersCount()] as const),
  );
  return Object.fromEntries(counts) as Record<QueueName, number>;
}
