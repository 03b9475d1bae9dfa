import { setTimeout as sleep } from "node:timers/promises";
import { domainEventSchema, liftEvent, type DomainEvent } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

export interface LoggedEvent {
  /** The id of the stream's entry, which is the SSE id too. */
  readonly id: string;
  readonly event: DomainEvent;
}

/** Every event in the order of its arrival, for any number of readers. The api writes it, together with its views. */
export interface EventLog {
  /** The id of the newest entry; "0" while the log is empty. */
  lastId(): Promise<string>;
  /**
   * Events after `afterId` (exclusive; "0" is the beginning), oldest first, then new ones until aborted. Each reader has
   * a position of its own, so that a slow reader delays no other.
   */
  follow(afterId: string, signal: AbortSignal): AsyncIterable<LoggedEvent>;
}

/** Newest events that the log keeps for its readers, about. */
export const EVENTS_KEPT = 100_000;
const POLL_MS = 100;
const PAGE = 200;

export function openEventLog(connection: QueueConnection): EventLog {
  const stream = connection.key("events");
  const { redis } = connection;
  const readPage = async (id: string, limit: number) => {
    const entries = await redis.xrange(stream, `(${id}`, "+", "COUNT", limit);
    return {
      events: entries.flatMap(parse),
      last: entries.at(-1)?.[0] ?? id,
      full: entries.length === limit,
    };
  };
  return {
    async lastId() {
      const [last] = await redis.xrevrange(stream, "+", "-", "COUNT", 1);
      return last?.[0] ?? "0";
    },
    async *follow(afterId, signal) {
      let at = afterId;
      while (!signal.aborted) {
        const page = await readPage(at, PAGE);
        yield* page.events;
        at = page.last;
        if (!page.full) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}

/** No event for an entry that a newer version wrote and this one cannot read: one such entry must not stop all readers. */
function parse([id, fields]: [string, string[]]): LoggedEvent[] {
  const parsed = domainEventSchema.safeParse(liftEvent(JSON.parse(fields[1] ?? "{}")));
  return parsed.success ? [{ id, event: parsed.data }] : [];
}
