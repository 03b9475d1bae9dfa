import type { ConnectionOptions, Queue, QueueEventsProducer } from "bullmq";
import type { QueueName } from "@agentswarm/contracts";

/** Key of a connection's BullMQ objects. The package does not export it, so that no service depends on BullMQ. */
export const BULL = Symbol("bull");

/** What this package needs of BullMQ. */
export interface BullSide {
  /** The options that every BullMQ object of the connection is opened with. */
  readonly options: { readonly connection: ConnectionOptions; readonly prefix: string };
  queue(name: QueueName): Queue;
  /** Writes to the queue's event stream. */
  producer(name: QueueName): QueueEventsProducer;
}

/** BullMQ's queue of this name. */
export function queueOf(connection: { readonly [BULL]: BullSide }, name: QueueName): Queue {
  return connection[BULL].queue(name);
}
