import {
  newTraceparent,
  traceIdOf,
  type EventToSend,
  type MessageToSend,
  type QueueName,
} from "@agentswarm/contracts";
import { eventJobId, traceOfMessage } from "@agentswarm/contracts/node";
import { queueOf } from "./bull-side.ts";
import { bullDelay, setSchedule } from "./clock.ts";
import type { QueueConnection } from "./connect.ts";
import { seal } from "./envelope.ts";
import { openOutbox } from "./event-outbox.ts";

export interface SendOptions {
  /** A second message with the id of a job that Redis still has is not sent. */
  readonly jobId?: string;
  /** 1 is first; BullMQ runs jobs without a priority before all others. */
  readonly priority?: number;
  /** Milliseconds of Redis time until the message is handled; by default at once. */
  readonly delayMs?: number;
  /** W3C traceparent of the cause, instead of the current trace. */
  readonly trace?: string;
}

export interface Sender {
  /** Throws Fault `message.invalid` when the body does not fit the queue's schema. */
  send<Q extends QueueName>(queue: Q, body: MessageToSend<Q>, options?: SendOptions): Promise<void>;
  /** Never throws: an event that Redis refuses is retried in the background, an event that fits no schema is reported. */
  event(event: EventToSend, options?: Pick<SendOptions, "trace">): Promise<void>;
  /**
   * A job every `everyMs` milliseconds of Redis time, for as long as the queue has a consumer; one schedule for the whole
   * swarm, however many replicas ask for it. No job is added while the one before it has not ended.
   */
  schedule<Q extends QueueName>(
    queue: Q,
    name: string,
    everyMs: number,
    body: MessageToSend<Q>,
  ): Promise<void>;
}

/** Sends messages and events, as `actor`. */
export function createSender(connection: QueueConnection, actor: string): Sender {
  // The trace is taken when the event is emitted: the outbox may send it later, from another context.
  const outbox = openOutbox(connection, ({ event, trace }: { event: EventToSend; trace: string }) =>
    sendEvent(connection, actor, event, trace),
  );
  return {
    async send(queue, body, options = {}) {
      const trace = traceOfMessage(options.trace);
      const envelope = seal(queue, body, { sentAt: await connection.now(), trace });
      await queueOf(connection, queue).add(queue, envelope, {
        ...(options.jobId === undefined ? {} : { jobId: options.jobId }),
        ...(options.priority === undefined ? {} : { priority: options.priority }),
        ...(options.delayMs ? { delay: await bullDelay(connection, options.delayMs) } : {}),
      });
    },
    event: (event, options = {}) => outbox({ event, trace: traceOfMessage(options.trace) }),
    async schedule(queue, name, everyMs, body) {
      const sealed = seal(queue, body, { sentAt: await connection.now(), trace: newTraceparent() });
      await setSchedule(connection, queue, name, { everyMs, body: sealed.body });
    },
  };
}

/** Sends one event, or throws. The job's id is derived from the event's, so that a second one is not sent. */
export async function sendEvent(
  connection: QueueConnection,
  actor: string,
  event: EventToSend,
  trace: string,
): Promise<void> {
  const at = await connection.now();
  const envelope = seal(
    "event",
    { ...event, at, actor, traceId: traceIdOf(trace) ?? undefined },
    { sentAt: at, trace },
  );
  await queueOf(connection, "event").add("event", envelope, { jobId: eventJobId(event.id) });
}
