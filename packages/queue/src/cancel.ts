import type { QueueName } from "@agentswarm/contracts";
import { BULL, queueOf } from "./bull-side.ts";
import type { QueueConnection } from "./connect.ts";
import { forgetCrashes } from "./crash-count.ts";

/** Removes a waiting job from its queue, or signals the handler of an active one, in whichever process it runs. */
export async function cancelJob(connection: QueueConnection, queue: QueueName, jobId: string): Promise<void> {
  // BullMQ refuses to remove an active job.
  const removed = await queueOf(connection, queue)
    .remove(jobId)
    .catch(() => 0);
  if (removed === 1) return forgetCrashes(connection, queue, jobId);
  await connection[BULL].producer(queue).publishEvent({ eventName: "cancel", jobId });
}
