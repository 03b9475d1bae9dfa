import type { DomainEvent } from "@agentswarm/contracts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { loggedEvents, logEvent } from "../../../test/support/queue.ts";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { openEventLog, openQueue, type EventLog, type LoggedEvent, type QueueConnection } from "./index.ts";

let redis: TestRedis;
let connection: QueueConnection;
let log: EventLog;
let tests = 0;

const event = (id: string): DomainEvent => ({
  id,
  at: 1,
  type: "backend.closed",
  actor: "test",
  data: { backend: "test" },
});

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  tests += 1;
  connection = await openQueue({ redisUrl: redis.url, prefix: `${redis.prefix}-${tests}`, service: "test" });
  log = openEventLog(connection);
  return () => connection[Symbol.asyncDispose]();
});

/** The next `count` events after an id. */
async function readAfter(id: string, count: number): Promise<LoggedEvent[]> {
  const read: LoggedEvent[] = [];
  for await (const logged of log.follow(id, new AbortController().signal)) {
    read.push(logged);
    if (read.length === count) break;
  }
  return read;
}

test("a follower continues after an id and across pages", async () => {
  const ids = Array.from({ length: 450 }, (_, index) => `e-${index}`);
  for (const id of ids) await logEvent(connection, event(id));
  const all = await readAfter("0", 450);
  expect(all.map((logged) => logged.event.id)).toEqual(ids);
  expect(await readAfter(all[1]?.id ?? "", 448)).toEqual(all.slice(2));
  expect(all.at(-1)?.id).toBe(await log.lastId());
});

test("a follower skips an event that it cannot read", async () => {
  await logEvent(connection, event("before"));
  const stopping = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const logged of log.follow("0", stopping.signal)) seen.push(logged.event.id);
  })();
  await expect.poll(() => seen).toEqual(["before"]);
  await connection.redis.xadd(connection.key("events"), "*", "event", JSON.stringify({ from: "the future" }));
  await logEvent(connection, event("after"));
  await expect.poll(() => seen).toEqual(["before", "after"]);
  stopping.abort();
  await following;
});

test("an empty log has an id to start from", async () => {
  expect(await log.lastId()).toBe("0");
  expect(await loggedEvents(connection)).toEqual([]);
});
