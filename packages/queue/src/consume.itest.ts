import { DEFAULT_REPO, Fault, SCHEMA_VERSION } from "@agentswarm/contracts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { randomUUID } from "node:crypto";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import {
  consume,
  createSender,
  jobState,
  openQueue,
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
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  connection = await openQueue({ redisUrl: redis.url, prefix, service: "test", onError: () => undefined });
  sender = createSender(connection, "test");
  return () => connection[Symbol.asyncDispose]();
});

const send = (jobId: string) => sender.send("sweep", { why: "manual", repoId: DEFAULT_REPO }, { jobId });
const stateOf = (jobId: string) => jobState(connection, "sweep", jobId);
const take = (handler: Handler<"sweep">, onBuried: (fault: Fault) => void = () => undefined) =>
  consume(connection, "sweep", handler, { concurrency: 5, onBuried });

test("a message of a version that this one does not know is put back, not failed", async () => {
  const handled: string[] = [];
  await using _consumer = await take(async (_, { jobId }) => void handled.push(jobId));
  const envelope = { sentAt: await connection.now(), trace: "00-0-0-01", body: { why: "manual" } };
  await connection
    .queue("sweep")
    .add("sweep", { ...envelope, schemaVersion: SCHEMA_VERSION + 1 }, { jobId: "newer" });
  await connection
    .queue("sweep")
    .add("sweep", { ...envelope, schemaVersion: SCHEMA_VERSION }, { jobId: "known" });
  await expect.poll(() => handled).toEqual(["known"]);
  await expect.poll(() => stateOf("newer")).toBe("delayed");
  expect(await connection.queue("event").getJobCountByTypes("waiting")).toBe(0);
});

test("a message that fits no schema is buried and told", async () => {
  const buried: string[] = [];
  await using _consumer = await take(
    async () => undefined,
    (fault) => buried.push(fault.code),
  );
  await connection.queue("sweep").add("sweep", { nonsense: true }, { jobId: "nonsense" });
  await expect.poll(() => stateOf("nonsense")).toBe("failed");
  expect(buried).toEqual(["message.invalid"]);
  const [event] = await connection.queue("event").getJobs(["waiting"]);
  expect(event?.data.body).toMatchObject({
    type: "message.dead-lettered",
    actor: "test",
    data: { jobId: "nonsense" },
  });
});

test("a retryable fault waits as long as it says and uses nothing up", async () => {
  const starts: number[] = [];
  await using _consumer = await take(async (_, { startedCount }) => {
    starts.push(performance.now());
    if (startedCount < 3)
      throw new Fault("model.unavailable", "busy", { retryable: true, retryAfterMs: 200 });
  });
  await send("busy");
  await expect.poll(() => stateOf("busy")).toBe("completed");
  expect(starts).toHaveLength(3);
  const [first = 0, second = 0] = starts;
  expect(second - first).toBeGreaterThanOrEqual(195);
  expect((await connection.queue("sweep").getJob("busy"))?.attemptsMade).toBe(1);
});

test("any other error buries the job, once, with what it said", async () => {
  const buried: string[] = [];
  await using _consumer = await take(
    async () => {
      throw new Error("a bug");
    },
    (fault) => buried.push(fault.message),
  );
  await send("buggy");
  await expect.poll(() => stateOf("buggy")).toBe("failed");
  expect(buried).toEqual(["a bug"]);
  expect((await connection.queue("sweep").getJob("buggy"))?.failedReason).toBe("internal: a bug");
});

test("the same id twice is one job; priorities go first to last", async () => {
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

test("an event with a body that fits no schema is reported and does not throw", async () => {
  await sender.event({ id: "wrong", type: "no.such-type" as "backend.closed", data: { backend: "test" } });
  await sender.event({ id: "right", type: "backend.closed", data: { backend: "test" } });
  await sender.event({ id: "right", type: "backend.closed", data: { backend: "test" } });
  expect(await connection.queue("event").getJobCountByTypes("waiting")).toBe(1);
});

test("a schedule is one for all replicas", async () => {
  await Promise.all(
    [1, 2, 3].map(() => sender.schedule("sweep", "tick", 50, { why: "schedule", repoId: DEFAULT_REPO })),
  );
  expect(await connection.queue("sweep").getJobSchedulersCount()).toBe(1);
  let ticks = 0;
  await using _consumer = await take(async () => void (ticks += 1));
  await expect.poll(() => ticks).toBeGreaterThan(2);
});
