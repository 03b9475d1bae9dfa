import type { Job } from "bullmq";
import type { QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

/**
 * Puts an active job back to where it was waiting, using nothing up, and wakes a worker for it: BullMQ does the
 * latter only for jobs without a priority, so that others would lie up to five seconds before idle workers.
 * Throws when `token` is not the job's lock.
 */
export async function handBack(
  connection: QueueConnection,
  queue: QueueName,
  job: Job,
  token: string | undefined,
): Promise<void> {
  await job.moveToWait(token);
  await connection.redis.zadd(connection.queue(queue).toKey("marker"), 0, "0");
}
