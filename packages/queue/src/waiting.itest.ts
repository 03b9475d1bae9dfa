import { randomUUID } from "node:crypto";
import { DEFAULT_REPO, Fault } from "@agentswarm/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bullQueue } from "../../../test/support/queue.ts";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { consume, createSender, openQueue, openWaiting } from "./index.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const broken = () => new Fault("target.invalid", "swarm.json is not JSON: correct it on the trunk");
const open = () =>
  openQueue({
    redisUrl: redis.url,
    prefix: `${redis.prefix}-${randomUUID().slice(0, 8)}`,
    service: "test",
    onError: () => undefined,
  });

test("the second identical fault shows what waits and why, with one event, until it goes on", async () => {
  await using connection = await open();
  const waiting = openWaiting(connection);
  const faults = [broken(), new Fault("origin.unreachable", "no route"), broken(), broken(), broken()];
  const shown: (string | undefined)[] = [];
  await using _consumer = await consume(
    connection,
    "sweep",
    async () => {
      shown.push((await waiting.read()).reasons()[0]?.reason);
      const fault = faults.shift();
      // Another delay than the growing one, so that the test is short.
      if (fault) throw new Fault(fault.code, fault.message, { retryAfterMs: 1 });
    },
    { concurrency: 1, onError: () => undefined },
  );
  await createSender(connection, "test").send("sweep", { why: "manual", repoId: DEFAULT_REPO });
  await expect.poll(() => shown, { timeout: 20_000 }).toHaveLength(6);
  const reason = broken().message;
  expect(shown).toEqual([undefined, undefined, undefined, undefined, reason, reason]);
  await expect.poll(async () => (await waiting.read()).reasons()).toEqual([]);
  const events = (await bullQueue(connection, "event").getJobs()).map(
    (job) => (job.data as { body: object }).body,
  );
  const expected = [reason, null].map((one) => ({ type: "trunk.waiting", data: { reason: one } }));
  expect(events.toReversed()).toMatchObject(expected);
});

test("a feature waits for its own reason, else for that of a task, and every reason is listed once", async () => {
  await using connection = await open();
  const waiting = openWaiting(connection);
  const repoId = DEFAULT_REPO;
  for (const taskId of ["a", "b"])
    for (let times = 0; times < 2; times += 1)
      await waiting.note({ repoId, featureId: "one", taskId }, broken());
  const full = new Fault("disk.full", "ENOSPC");
  for (let times = 0; times < 2; times += 1) await waiting.note({ repoId, featureId: "two" }, full);
  await waiting.note({ repoId, featureId: "three" }, full);
  const now = await waiting.read();
  expect(now.feature("one")).toMatchObject({ reason: broken().message, source: "operator", service: "test" });
  expect(now.task("one", "b")?.reason).toBe(broken().message);
  expect(now.feature("two")?.reason).toBe("ENOSPC");
  expect([now.feature("three"), now.task("one", "c")]).toEqual([null, null]);
  expect(now.reasons()).toMatchObject([
    { reason: broken().message, waits: 2 },
    { reason: "ENOSPC", waits: 1 },
  ]);
});

test("a wait whose reason changes is shown on, with the new reason, and no second event says so", async () => {
  await using connection = await open();
  const waiting = openWaiting(connection);
  const subject = { repoId: DEFAULT_REPO, featureId: "one" };
  const away = (why: string) => new Fault("model.unavailable", why);
  for (const why of ["no answer", "no answer", "the backend gets no calls"])
    await waiting.note(subject, away(why));
  expect((await waiting.read()).feature("one")?.reason).toBe("the backend gets no calls");
  const events = await bullQueue(connection, "event").getJobs();
  expect(events.map((job) => (job.data as { body: object }).body)).toMatchObject([
    { type: "feature.waiting", data: { reason: "no answer" } },
  ]);
});
