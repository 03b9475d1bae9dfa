import { domainEventSchema, type DomainEvent, type MessageOf, type QueueName } from "@agentswarm/contracts";
import { boardQueues, type QueueConnection } from "@agentswarm/queue";

type BullQueue = ReturnType<typeof boardQueues>[number];

/** BullMQ's queue, for facts that only tests need. */
export function bullQueue(connection: QueueConnection, name: QueueName): BullQueue {
  const found = boardQueues(connection).find((queue) => queue.name === name);
  if (found === undefined) throw new Error(`there is no queue ${name}`);
  return found;
}

/** The messages of all jobs of a queue that have not ended. */
export async function pendingBodies<Q extends QueueName>(
  connection: QueueConnection,
  name: Q,
): Promise<MessageOf<Q>[]> {
  const jobs = await bullQueue(connection, name).getJobs(["active", "waiting", "prioritized", "delayed"]);
  return jobs.map((job) => job.data.body as MessageOf<Q>);
}

/** The holders of a slot now. */
export async function slotHolders(connection: QueueConnection, name: string): Promise<string[]> {
  const now = await connection.now();
  return connection.redis.zrangebyscore(connection.key("slots", name), now, "+inf");
}

/** Writes an event into the event log alone, as only tests do. */
export async function logEvent(connection: QueueConnection, event: DomainEvent): Promise<void> {
  await connection.redis.xadd(connection.key("events"), "*", "event", JSON.stringify(event));
}

/** All events of the event log, oldest first. */
export async function loggedEvents(connection: QueueConnection): Promise<DomainEvent[]> {
  const entries = await connection.redis.xrange(connection.key("events"), "-", "+");
  return entries.map(([, fields]) => domainEventSchema.parse(JSON.parse(fields[1] ?? "")));
}
