import type { Job } from "bullmq";
import type { QueueName } from "@agentswarm/contracts";
import { queueOf } from "./bull-side.ts";
import type { QueueConnection } from "./connect.ts";

/**
 * Puts an active job back to where it was waiting, without using an attempt, and wakes a worker. BullMQ wakes workers
 * only for jobs without a priority; a job with one would wait up to five seconds although workers are idle.
 * Throws when `token` is not the job's lock.
 */
export async function handBack(
  connection: QueueConnection,
  queue: QueueName,
  job: Job,
  token: string | undefined,
): Promise<void> {
  await job.moveToWait(token);
  await connection.redis.zadd(queueOf(connection, queue).toKey("marker"), 0, "0");
}
