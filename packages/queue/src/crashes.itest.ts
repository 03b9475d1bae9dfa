import { DEFAULT_REPO } from "@agentswarm/contracts";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { startWorker, type TestWorker } from "../testing/start-worker.ts";
import {
  cancelJob,
  createSender,
  jobState,
  openDocuments,
  openQueue,
  type QueueConnection,
  type Sender,
} from "./index.ts";

let redis: TestRedis;
let connection: QueueConnection;
let sender: Sender;
let prefix: string;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  // A prefix of its own for every test, so that tests do not see each other's jobs.
  prefix = `${redis.prefix}-${randomUUID().slice(0, 8)}`;
  connection = await openQueue({ redisUrl: redis.url, prefix, service: "test" });
  sender = createSender(connection, "test");
  return () => connection[Symbol.asyncDispose]();
});

const send = (jobId: string, priority?: number) =>
  sender.send(
    "sweep",
    { why: "manual", repoId: DEFAULT_REPO },
    priority === undefined ? { jobId } : { jobId, priority },
  );
const stateOf = (jobId: string) => jobState(connection, "sweep", jobId);
const started = (worker: TestWorker) => worker.events.filter(({ event }) => event === "started");

test("fault 2: another worker takes the jobs of a killed worker long before their locks expire", async () => {
  await using dying = await startWorker(redis.url, { prefix, concurrency: 20 });
  const ids = Array.from({ length: 20 }, (_, index) => `hold-${index}`);
  // BullMQ keeps jobs with a priority in another set, and wakes no worker for a job that is put back there.
  await Promise.all(ids.map((id) => send(id, 3)));
  await Promise.all(
    ids.map((id) => dying.waitFor(({ event, jobId }) => event === "started" && jobId === id)),
  );

  await using heir = await startWorker(redis.url, { prefix, concurrency: 20 });
  dying.kill("SIGKILL");
  await dying.ended;
  const since = performance.now();
  await Promise.all(ids.map((id) => heir.waitFor(({ event, jobId }) => event === "started" && jobId === id)));
  // Locks are the default 30 s; on a quiet machine this takes about half a second.
  expect(performance.now() - since).toBeLessThan(4_000);
  expect(started(heir)).toHaveLength(20);
  const jobs = await Promise.all(ids.map((id) => bullQueue(connection, "sweep").getJob(id)));
  expect(jobs.map((job) => job?.attemptsMade)).toEqual(ids.map(() => 0));
});

test("fault 6: a job that always kills its worker becomes a dead letter after five crashes, and none of the twenty beside it", async () => {
  const neighbours = Array.from({ length: 20 }, (_, index) => `slow-${index}`);
  for (const id of neighbours.slice(0, 10)) await send(id);
  await send("poison-1");
  for (const id of neighbours.slice(10)) await send(id);
  let crashes = 0;
  for (;;) {
    await using worker = await startWorker(redis.url, { prefix, concurrency: 25 }).catch(() => null);
    // A worker that crashed before it was ready took the job at once.
    if (worker === null) {
      crashes += 1;
      continue;
    }
    const deadLetter = worker.waitFor(
      ({ event, message }) => event === "error" && /while handling/.test(message ?? ""),
    );
    const how = await Promise.race([
      deadLetter.then(() => "dead letter").catch(() => "ended"),
      worker.ended.then(() => "ended"),
    ]);
    if (how === "ended") {
      crashes += 1;
      continue;
    }
    await expect.poll(() => stateOf("poison-1")).toBe("failed");
    await send("sound-1");
    for (const id of [...neighbours, "sound-1"]) {
      await expect.poll(() => stateOf(id), { timeout: 10_000 }).toBe("completed");
    }
    break;
  }
  expect(crashes).toBe(5);
  const events = await bullQueue(connection, "event").getJobs(["waiting"]);
  expect(events.map((job) => job.data.body)).toEqual([
    expect.objectContaining({
      type: "message.dead-lettered",
      data: expect.objectContaining({ queue: "sweep", jobId: "poison-1" }),
    }),
  ]);
  expect(await connection.redis.hlen(connection.key("crashes", "sweep"))).toBe(0);
});

test("fault 7: a worker that is suspended past its lock changes nothing when it continues", async () => {
  const lockMs = 1_500;
  await using zombie = await startWorker(redis.url, { prefix, lockMs, waitMs: 500 });
  await send("write-1");
  await zombie.waitFor(({ event }) => event === "started");
  zombie.kill("SIGSTOP");

  await using heir = await startWorker(redis.url, { prefix, lockMs, waitMs: 0 });
  expect(await heir.waitFor(({ event }) => event === "wrote")).toMatchObject({ written: true });
  await expect.poll(() => stateOf("write-1")).toBe("completed");

  zombie.kill("SIGCONT");
  expect(await zombie.waitFor(({ event }) => event === "wrote")).toMatchObject({ written: false });
  await zombie.waitFor(({ event, message }) => event === "error" && /lock/i.test(message ?? ""));
  const effects = openDocuments(connection, "effects", z.object({ by: z.number() }));
  expect(await effects.get("write-1")).toEqual({ value: { by: heir.pid }, version: 1 });
  expect(await stateOf("write-1")).toBe("completed");
  // The suspended worker takes jobs again.
  heir.kill("SIGTERM");
  await heir.ended;
  await send("sound-2");
  await zombie.waitFor(({ event, jobId }) => event === "ended" && jobId === "sound-2");
});

test("fault 8: SIGTERM under load puts every job back and uses no attempt", async () => {
  await using worker = await startWorker(redis.url, { prefix, concurrency: 50 });
  const ids = Array.from({ length: 80 }, (_, index) => `hold-${index}`);
  await Promise.all(ids.map((id) => send(id)));
  await expect.poll(() => started(worker).length).toBe(50);
  const since = performance.now();
  worker.kill("SIGTERM");
  expect(await worker.ended).toBe(0);
  expect(performance.now() - since).toBeLessThan(5_000);
  expect(
    worker.events.filter(({ event, reason }) => event === "aborted" && reason === "shutdown"),
  ).toHaveLength(50);

  const counts = await bullQueue(connection, "sweep").getJobCounts("waiting", "active", "failed", "delayed");
  expect(counts).toEqual({ waiting: 80, active: 0, failed: 0, delayed: 0 });
  const jobs = await bullQueue(connection, "sweep").getJobs(["waiting"]);
  expect(new Set(jobs.map((job) => job.attemptsMade))).toEqual(new Set([0]));
  expect(await connection.redis.hlen(connection.key("crashes", "sweep"))).toBe(0);
});

test("a cancellation removes a waiting job and reaches a handler in another process", async () => {
  await using worker = await startWorker(redis.url, { prefix, concurrency: 1 });
  await send("hold-active");
  await worker.waitFor(({ event }) => event === "started");
  await send("hold-waiting");
  await cancelJob(connection, "sweep", "hold-waiting");
  expect(await stateOf("hold-waiting")).toBe("missing");
  await cancelJob(connection, "sweep", "hold-active");
  expect(await worker.waitFor(({ event }) => event === "aborted")).toMatchObject({ reason: "cancel" });
  await expect.poll(() => stateOf("hold-active")).toBe("failed");
  expect(await bullQueue(connection, "event").getJobCountByTypes("waiting")).toBe(0);
});
