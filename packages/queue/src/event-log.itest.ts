import type { DomainEvent } from "@agentswarm/contracts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { loggedEvents } from "../../../test/support/queue.ts";
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

test("an event that many append at once is logged once", async () => {
  await using other = await openQueue({
    redisUrl: redis.url,
    prefix: `${redis.prefix}-${tests}`,
    service: "other",
  });
  const logs = [log, openEventLog(other)] as const;
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) => logs[index % 2 === 0 ? 0 : 1].append(event(`e-${index % 3}`))),
  );
  expect(answers.filter((id) => id !== null)).toHaveLength(3);
  expect((await loggedEvents(connection)).map(({ id }) => id).toSorted()).toEqual(["e-0", "e-1", "e-2"]);
  const [key = ""] = await connection.redis.keys(connection.key("events", "seen", "*"));
  expect(await connection.redis.ttl(key)).toBeGreaterThan(3_600);
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
  await Promise.all(ids.map((id) => log.append(event(id))));
  const all = await readAfter("0", 450);
  expect(all.map((logged) => logged.event.id)).toEqual(ids);
  expect(await readAfter(all[1]?.id ?? "", 448)).toEqual(all.slice(2));
  expect(all.at(-1)?.id).toBe(await log.lastId());
});

test("a follower skips an event that it cannot read", async () => {
  await log.append(event("before"));
  const stopping = new AbortController();
  const seen: string[] = [];
  const following = (async () => {
    for await (const logged of log.follow("0", stopping.signal)) seen.push(logged.event.id);
  })();
  await expect.poll(() => seen).toEqual(["before"]);
  await connection.redis.xadd(connection.key("events"), "*", "event", JSON.stringify({ from: "the future" }));
  await log.append(event("after"));
  await expect.poll(() => seen).toEqual(["before", "after"]);
  stopping.abort();
  await following;
});

test("an empty log has an id to start from", async () => {
  expect(await log.lastId()).toBe("0");
  expect(await loggedEvents(connection)).toEqual([]);
});
