import { createParser, type EventSourceMessage } from "eventsource-parser";
import { domainEventSchema, REST, type DomainEvent } from "@agentswarm/contracts";
import { ApiError, isTransient, Unreachable } from "./api-error.ts";
import { backOffMs } from "./retry-delay.ts";
import { joinSignals, pause, sendOnce, type ClientOptions } from "./send-request.ts";

export interface FollowOptions {
  /** Events after this id; `0` is the beginning. Default: events from now on. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly filter?: (event: DomainEvent) => boolean;
}

export interface StreamedEvent {
  /** The cursor to resume after. */
  readonly id: string;
  readonly event: DomainEvent;
}

/** The api sends a comment every 15 seconds, so a stream that is silent for longer is dead. */
const SILENCE_MS = 45_000;
/** The comment with which the api opens a stream; it names the cursor of a stream that begins now. */
const LISTENING = /^\s*listening after (\d+-\d+|0)$/;

/**
 * Events as they come, until aborted. A stream that ends or breaks is opened again behind the last event that came,
 * with back-off. Throws ApiError when the api refuses for good. Events of types that this version does not know are
 * left out.
 */
export async function* followEvents(
  options: ClientOptions,
  { after, signal, filter }: FollowOptions = {},
): AsyncGenerator<StreamedEvent> {
  let cursor = after;
  let failures = 0;
  while (!signal?.aborted) {
    let error: unknown;
    try {
      for await (const part of readStream(options, cursor, signal)) {
        failures = 0;
        cursor = part.cursor;
        const parsed = domainEventSchema.safeParse(part.data);
        if (parsed.success && (filter?.(parsed.data) ?? true)) yield { id: part.cursor, event: parsed.data };
      }
    } catch (thrown) {
      error = thrown;
    }
    if (signal?.aborted) return;
    const refused = error instanceof ApiError || error instanceof Unreachable;
    if (refused && !isTransient(error)) throw error;
    const retryAfterMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    await pause(Math.max(retryAfterMs, backOffMs(failures, Math.random())), signal);
    failures += 1;
  }
}

interface StreamPart {
  readonly cursor: string;
  /** Absent at the stream's beginning. */
  readonly data?: unknown;
}

/** One connection's events. */
async function* readStream(
  options: ClientOptions,
  cursor: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamPart> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const parts: StreamPart[] = [];
  const parser = createParser({
    onEvent: ({ id, data }: EventSourceMessage) => {
      if (id !== undefined) parts.push({ cursor: id, data: JSON.parse(data) as unknown });
    },
    onComment: (text) => {
      const [, from] = LISTENING.exec(text) ?? [];
      if (from !== undefined) parts.push({ cursor: from });
    },
  });
  try {
    const headers = { "last-event-id": cursor };
    const response = await sendOnce(
      options,
      REST.followEvents,
      { headers },
      joinSignals(signal, silence.signal),
    );
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const read = await reader?.read();
      if (read === undefined || read.done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      parser.feed(decoder.decode(read.value as Uint8Array, { stream: true }));
      yield* parts.splice(0);
    }
  } finally {
    clearTimeout(timer);
    // Ends the connection when the consumer stops reading.
    silence.abort();
  }
}
