import {
  envelopeSchema,
  Fault,
  QUEUES,
  readBody,
  SCHEMA_VERSION,
  type Envelope,
  type MessageOf,
  type MessageToSend,
  type QueueName,
} from "@agentswarm/contracts";

/** Wraps a body for its queue. Throws Fault `message.invalid` when it does not fit the queue's schema. */
export function seal<Q extends QueueName>(
  queue: Q,
  body: MessageToSend<Q>,
  { sentAt, trace }: { sentAt: number; trace: string },
): Envelope {
  const parsed = QUEUES[queue].safeParse(body);
  if (!parsed.success) throw new Fault("message.invalid", `${queue}: ${parsed.error.message}`);
  return { schemaVersion: SCHEMA_VERSION, sentAt, trace, body: parsed.data };
}

export type Opened<Q extends QueueName> =
  | { kind: "message"; body: MessageOf<Q>; sentAt: number }
  | { kind: "newer-version"; schemaVersion: number }
  | { kind: "invalid"; why: string };

/** Unwraps the message of a job, of this schema version or an older one. */
export function unseal<Q extends QueueName>(queue: Q, data: unknown): Opened<Q> {
  const envelope = envelopeSchema.safeParse(data);
  if (!envelope.success) return { kind: "invalid", why: envelope.error.message };
  const { schemaVersion, sentAt } = envelope.data;
  if (schemaVersion > SCHEMA_VERSION) return { kind: "newer-version", schemaVersion };
  const body = readBody(queue, schemaVersion, envelope.data.body);
  return body.success
    ? { kind: "message", body: body.data, sentAt }
    : { kind: "invalid", why: body.error.message };
}
