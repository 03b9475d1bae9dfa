import { DEFAULT_REPO, Fault, SCHEMA_VERSION } from "@agentswarm/contracts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { randomUUID } from "node:crypto";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import {
  consume,
  createSender,
  jobState,
  openQueue,
  signalJob,
  type Handler,
  type QueueConnection,
  type Sender,
} from "./index.ts";

let redis: TestRedis;
let connection: QueueConnection;
let sender: Sender;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  const prefix = `${redis.prefix}-${randomUUID().slice(0, 8)}`;
  connection = await openQueue({ redisUrl: redis.url, prefix, service: "test", onError: () => undefined });
  sender = createSender(connection, "test");
  return () => connection[Symbol.asyncDispose]();
});

const send = (jobId: string) => sender.send("sweep", { why: "manual", repoId: DEFAULT_REPO }, { jobId });
const stateOf = (jobId: string) => jobState(connection, "sweep", jobId);
const take = (handler: Handler<"sweep">, onDeadLetter: (fault: Fault) => void = () => undefined) =>
  consume(connection, "sweep", handler, { concurrency: 5, onDeadLetter });

test("fault 9: a message of a newer version is put back and not failed", async () => {
  const handled: string[] = [];
  await using _consumer = await take(async (_, { jobId }) => void handled.push(jobId));
  const envelope = { sentAt: await connection.now(), trace: "00-0-0-01", body: { why: "manual" } };
  await bullQueue(connection, "sweep").add(
    "sweep",
    { ...envelope, schemaVersion: SCHEMA_VERSION + 1 },
    { jobId: "newer" },
  );
  await bullQueue(connection, "sweep").add(
    "sweep",
    { ...envelope, schemaVersion: SCHEMA_VERSION },
    { jobId: "known" },
  );
  await expect.poll(() => handled).toEqual(["known"]);
  await expect.poll(() => stateOf("newer")).toBe("delayed");
  expect(await bullQueue(connection, "event").getJobCountByTypes("waiting")).toBe(0);
});

test("a message that fits no schema becomes a dead letter with an event", async () => {
  const dead: string[] = [];
  await using _consumer = await take(
    async () => undefined,
    (fault) => dead.push(fault.code),
  );
  await bullQueue(connection, "sweep").add("sweep", { nonsense: true }, { jobId: "nonsense" });
  await expect.poll(() => stateOf("nonsense")).toBe("failed");
  expect(dead).toEqual(["message.invalid"]);
  const [event] = await bullQueue(connection, "event").getJobs(["waiting"]);
  expect(event?.data.body).toMatchObject({
    type: "message.dead-lettered",
    actor: "test",
    data: { jobId: "nonsense" },
  });
});

test("a retryable fault is retried after its delay and uses no attempt", async () => {
  const starts: number[] = [];
  await using _consumer = await take(async () => {
    starts.push(performance.now());
    if (starts.length < 3)
      throw new Fault("model.unavailable", "busy", { retryable: true, retryAfterMs: 200 });
  });
  await send("busy");
  await expect.poll(() => stateOf("busy")).toBe("completed");
  expect(starts).toHaveLength(3);
  const [first = 0, second = 0] = starts;
  expect(second - first).toBeGreaterThanOrEqual(195);
  expect((await bullQueue(connection, "sweep").getJob("busy"))?.attemptsMade).toBe(1);
});

test("a bug makes the job a dead letter with the error's message, after two retries", async () => {
  const dead: string[] = [];
  let starts = 0;
  await using _consumer = await take(
    async () => {
      starts += 1;
      throw new Error("a bug");
    },
    (fault) => dead.push(fault.message),
  );
  await send("buggy");
  await expect.poll(() => stateOf("buggy"), { timeout: 20_000 }).toBe("failed");
  expect(starts).toBe(3);
  expect(dead).toEqual(["a bug"]);
  expect((await bullQueue(connection, "sweep").getJob("buggy"))?.failedReason).toBe("internal: a bug");
});

test("an event that can never be taken in makes one entry, and no event about itself", async () => {
  const dead: string[] = [];
  let starts = 0;
  await using _consumer = await consume(
    connection,
    "event",
    async () => {
      starts += 1;
      throw new Fault("message.invalid", "the view cannot be written");
    },
    { concurrency: 5, onDeadLetter: (fault) => dead.push(fault.message) },
  );
  await sender.event({ id: "one", type: "backend.closed", data: { backend: "test" } });
  await sender.event({ id: "two", type: "backend.closed", data: { backend: "test" } });
  const counts = () => bullQueue(connection, "event").getJobCounts("failed", "waiting", "active", "delayed");
  const ended = { failed: 2, waiting: 0, active: 0, delayed: 0 };
  await expect.poll(counts, { timeout: 20_000 }).toEqual(ended);
  expect(starts).toBe(2);
  expect(dead).toEqual(["the view cannot be written", "the view cannot be written"]);
});

test("jobs start in the order of their priorities, and one id is one job", async () => {
  const order: string[] = [];
  for (const [jobId, priority] of [
    ["c", 9],
    ["a", 1],
    ["b", 5],
    ["a", 9],
  ] as const) {
    await sender.send("sweep", { why: "manual", repoId: DEFAULT_REPO }, { jobId, priority });
  }
  await using _consumer = await consume(connection, "sweep", async (_, { jobId }) => void order.push(jobId), {
    concurrency: 1,
  });
  await expect.poll(() => order).toEqual(["a", "b", "c"]);
});

test("an event that fits no schema is reported and does not throw", async () => {
  await sender.event({ id: "wrong", type: "no.such-type" as "backend.closed", data: { backend: "test" } });
  await sender.event({ id: "right", type: "backend.closed", data: { backend: "test" } });
  await sender.event({ id: "right", type: "backend.closed", data: { backend: "test" } });
  expect(await bullQueue(connection, "event").getJobCountByTypes("waiting")).toBe(1);
});

test("replicas that make the same schedule make one", async () => {
  await Promise.all(
    [1, 2, 3].map(() => sender.schedule("sweep", "tick", 50, { why: "schedule", repoId: DEFAULT_REPO })),
  );
  let ticks = 0;
  await using _consumer = await take(async () => void (ticks += 1));
  await expect.poll(() => ticks).toBeGreaterThan(2);
  const jobs = await bullQueue(connection, "sweep").getJobCountByTypes("waiting", "active", "completed");
  expect(Math.abs(jobs - ticks)).toBeLessThanOrEqual(1);
});

test("a signal reaches the handler of an active job, in order, and no other job", async () => {
  const [started, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const heard: string[] = [];
  await using other = await openQueue({
    redisUrl: redis.url,
    prefix: connection.prefix.slice(1, -1),
    service: "test",
  });
  await using _consumer = await consume(
    connection,
    "sweep",
    async (_, { jobId, onSignal }) => {
      onSignal(({ notes }) => heard.push(`${jobId} heard ${notes.map(({ text }) => text).join()}`));
      started.resolve();
      await ended.promise;
    },
    { concurrency: 1 },
  );
  const say = (jobId: string, text: string) => {
    const note = { id: "n", by: "ada", via: "rest", at: 1, text, mode: "steer", answers: null } as const;
    return signalJob(other, "sweep", jobId, { notes: [note] });
  };
  await send("running");
  await started.promise;
  await send("queued");
  await say("queued", "too early");
  await say("running", "one");
  await say("running", "two");
  await expect.poll(() => heard).toEqual(["running heard one", "running heard two"]);
  ended.resolve();
  await expect.poll(() => stateOf("queued")).toBe("completed");
  expect(heard).toHaveLength(2);
});
