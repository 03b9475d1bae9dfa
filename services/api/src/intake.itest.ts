import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DomainEvent } from "@agentswarm/contracts";
import { createSender, openQueue, type QueueConnection } from "@agentswarm/queue";
import { bullQueue, loggedEvents } from "../../../test/support/queue.ts";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { startService } from "../../../test/support/service.ts";
import { freePort } from "../../../test/support/free-port.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { EVENTS_PER_TASK, makeEvents, PRICE_USD } from "../testing/make-events.ts";
import { openTestIntake, type TestIntake } from "../testing/open-intake.ts";
import { readViews } from "../testing/read-views.ts";
import { rebuildFromArchive } from "./project/rebuild-views.ts";

let redis: TestRedis;
const homes: string[] = [];
let prefixes = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

const newHome = () => {
  const home = mkdtempSync(join(tmpdir(), "swarm-intake-"));
  homes.push(home);
  return home;
};
const newPrefix = () => `${redis.prefix}-${(prefixes += 1)}`;
const open = (prefix: string, reports: string[] = []) =>
  openQueue({
    redisUrl: redis.url,
    prefix,
    service: "test",
    onError: (error) => reports.push((error as Error).message),
  });

/** The ids of the archive's events, a repeated one once. */
const archivedIds = (home: string, day = "2026-11-21") => {
  const file = join(home, "artifacts/events", `${day}.jsonl`);
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const ids = text.split("\n").flatMap((line) => (line === "" ? [] : (JSON.parse(line) as DomainEvent).id));
  return [...new Set(ids)];
};
const idsOf = (events: readonly { id: string }[]) => events.map(({ id }) => id);

/** Stream, archive, sums and views of one feature whose events were all taken in. */
async function expectComplete(
  connection: QueueConnection,
  home: string,
  events: DomainEvent[],
  tasks: number,
) {
  expect(idsOf(await loggedEvents(connection)).toSorted()).toEqual(idsOf(events).toSorted());
  expect(archivedIds(home).toSorted()).toEqual(idsOf(events).toSorted());
  using intake = await openTestIntake(connection, home);
  const swarm = await intake.model.swarm();
  expect(swarm.costs["work"]?.["b"]?.usd).toBe(2 * tasks * PRICE_USD);
  expect([swarm.landings.total, swarm.live]).toEqual([tasks, {}]);
  const feature = await intake.model.feature(events[0]?.id.replace("submitted-", "") ?? "");
  expect(feature?.cost.usd).toBe(2 * tasks * PRICE_USD);
  expect([feature?.status, feature?.tasks.length]).toEqual(["done", tasks]);
  expect(
    feature?.tasks.every(({ status, costUsd }) => status === "landed" && costUsd === 2 * PRICE_USD),
  ).toBe(true);
}

test("an api that is killed at every step takes each event in once: stream, archive, sums and views agree", async () => {
  const home = newHome();
  const prefix = newPrefix();
  await using connection = await open(prefix);
  const sender = createSender(connection, "test");
  const events = makeEvents("feature-kill", 40);
  expect(events.length).toBe(2 + 40 * EVENTS_PER_TASK);
  const env = {
    REDIS_URL: redis.url,
    QUEUE_PREFIX: prefix,
    SWARM_HOME: home,
    API_PORT: String(await freePort()),
  };
  // The sender stamps its own time; the archive's day is today's.
  await Promise.all(events.map((event) => sender.event(event)));
  for (const failpoint of ["api.archived", "api.committed"]) {
    const killed = startService("api", { ...env, FAILPOINT: failpoint });
    expect(await killed.ended).toBe("SIGKILL");
  }
  const last = startService("api", env);
  const queue = bullQueue(connection, "event");
  await waitUntil("all events to be taken in", 30_000, async () => {
    const { waiting = 0, active = 0, delayed = 0 } = await queue.getJobCounts();
    return waiting + active + delayed === 0 ? true : null;
  });
  await last.stop();
  expect((await queue.getJobCounts("failed"))["failed"]).toBe(0);
  const today = new Date(await connection.now()).toISOString().slice(0, 10);
  expect(archivedIds(home, today).length).toBe(events.length);
  const before = await readViews(connection);
  using intake = await openTestIntake(connection, home);
  expect(await rebuildFromArchive(connection, intake.archive)).toMatchObject({
    events: events.length,
    features: 1,
  });
  expect(await readViews(connection)).toEqual(before);
  expect((await intake.model.swarm()).costs["work"]?.["b"]?.usd).toBe(80 * PRICE_USD);
  expect(new Set(idsOf(await loggedEvents(connection))).size).toBe(events.length);
  expect(await loggedEvents(connection)).toHaveLength(events.length);
});

test("on a full disk events wait, and none is lost once there is room (fault 19)", async () => {
  const home = newHome();
  const reports: string[] = [];
  await using connection = await open(newPrefix(), reports);
  using intake = await openTestIntake(connection, home);
  const events = makeEvents("feature-full", 10);
  const dir = join(home, "artifacts/events");
  const file = join(dir, "2026-11-21.jsonl");
  mkdirSync(dir, { recursive: true });
  // Every write to /dev/full fails with ENOSPC.
  symlinkSync("/dev/full", file);
  const taking = Promise.all(events.map((event) => intake.take(event)));
  await waitUntil("the alarm", 10_000, () => (reports.length > 0 ? true : null));
  expect(reports[0]).toMatch(/event archive .*free space/);
  expect(await loggedEvents(connection)).toEqual([]);
  const why = {
    source: "operator",
    service: "api",
    reason: expect.stringContaining("free space on the disk"),
  };
  expect(intake.waiting()).toMatchObject({ ...why, since: events[0]?.at, waits: events.length });
  rmSync(file);
  await taking;
  expect(intake.waiting()).toBeNull();
  expect(idsOf(await loggedEvents(connection))).toEqual(idsOf(events));
  await expectComplete(connection, home, events, 10);
});

test("while Redis is full events wait, and none is lost once there is room (fault 15)", async () => {
  const home = newHome();
  await using full = await startRedis({ exclusive: "it is full" });
  await using connection = await openQueue({
    redisUrl: full.url,
    prefix: full.prefix,
    service: "test",
    onError: () => undefined,
  });
  using intake = await openTestIntake(connection, home);
  const events = makeEvents("feature-oom", 3);
  await connection.redis.config("SET", "maxmemory", "1");
  const taking = Promise.all(events.map((event) => intake.take(event)));
  await waitUntil("the first try", 10_000, () => (archivedIds(home).length > 0 ? true : null));
  expect(await loggedEvents(connection)).toEqual([]);
  await connection.redis.config("SET", "maxmemory", "0");
  await taking;
  await expectComplete(connection, home, events, 3);
});

test("events that wait for room go back to the queue when the service stops", async () => {
  const home = newHome();
  await using connection = await open(newPrefix());
  using intake = await openTestIntake(connection, home);
  mkdirSync(join(home, "artifacts/events"), { recursive: true });
  symlinkSync("/dev/full", join(home, "artifacts/events/2026-11-21.jsonl"));
  const stopping = new AbortController();
  const [event] = makeEvents("feature-stop", 0);
  if (event === undefined) throw new Error("no event");
  const taking = intake.take(event, stopping.signal);
  stopping.abort("shutdown");
  await expect(taking).rejects.toMatchObject({ retryable: true });
});

test("two apis take in the same events at once, and each event counts once", async () => {
  const home = newHome();
  const prefix = newPrefix();
  await using one = await open(prefix);
  await using other = await open(prefix);
  using first = await openTestIntake(one, home);
  using second = await openTestIntake(other, home);
  const events = makeEvents("feature-two", 20);
  // Each takes in a half, in many batches, so that both change the same documents; every third event comes to both.
  const takeSome = async (intake: TestIntake, isMine: (nth: number) => boolean) => {
    const mine = events.filter((_, nth) => isMine(nth) || nth % 3 === 0);
    for (let at = 0; at < mine.length; at += 4)
      await Promise.all(mine.slice(at, at + 4).map((event) => intake.take(event)));
  };
  await Promise.all([takeSome(first, (nth) => nth % 2 === 0), takeSome(second, (nth) => nth % 2 === 1)]);
  await expectComplete(one, home, events, 20);
});

test("a line that a power cut left half written spoils no other line", async () => {
  const home = newHome();
  await using connection = await open(newPrefix());
  using intake = await openTestIntake(connection, home);
  const [one, two] = makeEvents("feature-torn", 0);
  if (one === undefined || two === undefined) throw new Error("no events");
  await intake.take(one);
  const file = join(home, "artifacts/events/2026-11-21.jsonl");
  appendFileSync(file, '{"id":"half');
  await intake.take(two);
  const kinds: string[] = [];
  for await (const { kind } of intake.archive.lines()) kinds.push(kind);
  expect(kinds).toEqual(["event", "unreadable", "event"]);
  expect(await rebuildFromArchive(connection, intake.archive)).toMatchObject({
    events: 2,
    unreadableLines: 1,
    firstUnreadable: [`${file}:2`],
  });
});

test("what is remembered of taken-in events is bounded, and needs about ten bytes for each", async () => {
  const home = newHome();
  await using connection = await open(newPrefix());
  using intake = await openTestIntake(connection, home);
  const events = Array.from({ length: 6_000 }, (_, nth): DomainEvent => ({
    id: `closed-${nth}`,
    at: 1,
    type: "backend.closed",
    actor: "test",
    data: { backend: "b" },
  }));
  await Promise.all(events.map((event) => intake.take(event)));
  const keys = await connection.redis.keys(connection.key("view", "seen", "*"));
  expect(keys.length).toBeLessThanOrEqual(1_024);
  const encodings = new Set(await Promise.all(keys.map((key) => connection.redis.object("ENCODING", key))));
  expect([...encodings]).toEqual(["intset"]);
  // A second time, in another order.
  await Promise.all(events.toReversed().map((event) => intake.take(event)));
  expect(await loggedEvents(connection)).toHaveLength(6_000);
});
