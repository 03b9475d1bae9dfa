import { setTimeout as sleep } from "node:timers/promises";
import { domainEventSchema, liftEvent, type DomainEvent } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

export interface LoggedEvent {
  /** The id of the stream's entry, which is the SSE id too. */
  readonly id: string;
  readonly event: DomainEvent;
}

/** Every event in the order of its arrival, for any number of readers. */
export interface EventLog {
  /** The id of the new entry, or null when the log has an event of this id already. */
  append(event: DomainEvent): Promise<string | null>;
  /** The id of the newest entry; "0" while the log is empty. */
  lastId(): Promise<string>;
  /**
   * Events after `afterId` (exclusive; "0" is the beginning), oldest first, then new ones until aborted. Each reader has
   * a position of its own, so that a slow reader delays no other.
   */
  follow(afterId: string, signal: AbortSignal): AsyncIterable<LoggedEvent>;
}

const KEPT = 100_000;
const SEEN_FOR_SECONDS = 7 * 24 * 3_600;
const POLL_MS = 100;
const PAGE = 200;

const APPEND = `
if redis.call("EXISTS", KEYS[2]) == 1 then return false end
local id = redis.call("XADD", KEYS[1], "MAXLEN", "~", ARGV[3], "*", "event", ARGV[1])
redis.call("SET", KEYS[2], id, "EX", ARGV[2])
return id`;

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
    async append(event) {
      const seen = connection.key("events", "seen", event.id);
      const text = JSON.stringify(event);
      return (await redis.eval(APPEND, 2, stream, seen, text, SEEN_FOR_SECONDS, KEPT)) as string | null;
    },
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
