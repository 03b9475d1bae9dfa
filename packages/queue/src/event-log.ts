import { setTimeout as sleep } from "node:timers/promises";
import { domainEventSchema, type DomainEvent } from "@agentswarm/contracts";
import type { QueueConnection } from "./connect.ts";

export interface LoggedEvent {
  /** The stream's id, which is the SSE id too. */
  readonly id: string;
  readonly event: DomainEvent;
}

/** Every event in the order of its arrival, for any number of readers. */
export interface EventLog {
  /** The id it got, or null when the event was there already. */
  append(event: DomainEvent): Promise<string | null>;
  /** Events after `id` (exclusive; "0" is the beginning), oldest first. */
  readAfter(id: string, limit: number): Promise<LoggedEvent[]>;
  lastId(): Promise<string>;
  /** Events after `id` as they come, until aborted. Each reader has its own place, so a slow one slows nobody. */
  follow(afterId: string, signal: AbortSignal): AsyncIterable<LoggedEvent>;
}

const KEPT = 100_000;
const SEEN_FOR_SECONDS = 7 * 24 * 3_600;
const POLL_MS = 100;
const PAGE = 200;

const APPEND = `
if not redis.call("SET", KEYS[2], "1", "NX", "EX", ARGV[2]) then return false end
return redis.call("XADD", KEYS[1], "MAXLEN", "~", ARGV[3], "*", "event", ARGV[1])`;

export function openEventLog(connection: QueueConnection): EventLog {
  const stream = connection.key("events");
  const { redis } = connection;
  const parse = ([id, fields]: [string, string[]]): LoggedEvent => ({
    id,
    event: domainEventSchema.parse(JSON.parse(fields[1] ?? "{}")),
  });
  const readAfter = async (id: string, limit: number) =>
    (await redis.xrange(stream, `(${id}`, "+", "COUNT", limit)).map(parse);
  return {
    async append(event) {
      const seen = connection.key("events", "seen", event.id);
      const text = JSON.stringify(event);
      return (await redis.eval(APPEND, 2, stream, seen, text, SEEN_FOR_SECONDS, KEPT)) as string | null;
    },
    readAfter,
    async lastId() {
      const [last] = await redis.xrevrange(stream, "+", "-", "COUNT", 1);
      return last?.[0] ?? "0";
    },
    async *follow(afterId, signal) {
      let at = afterId;
      while (!signal.aborted) {
        const page = await readAfter(at, PAGE);
        for (const logged of page) {
          at = logged.id;
          yield logged;
        }
        if (page.length < PAGE) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
