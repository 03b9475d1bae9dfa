import { QueueEventsProducer } from "bullmq";
import type { QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";
import { forgetCrashes } from "./crash-budget.ts";

/** Takes a waiting job out of its queue, or signals the handler of an active one, in whichever process it runs. */
export async function cancelJob(connection: QueueConnection, queue: QueueName, jobId: string): Promise<void> {
  const removed = await connection
    .queue(queue)
    .remove(jobId)
    .catch(() => 0);
  if (removed === 1) return forgetCrashes(connection, queue, jobId);
  const producer = new QueueEventsProducer(queue, connection.bull);
  producer.on("error", connection.report);
  try {
    await producer.publishEvent({ eventName: "cancel", jobId });
  } finally {
    await producer.close();
  }
}
