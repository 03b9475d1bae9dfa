import { currentTrace, withTrace } from "@agentswarm/contracts/node";
import { randomUUID } from "node:crypto";
import { DEFAULT_REPO, Fault, newTraceparent, traceIdOf } from "@agentswarm/contracts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { consume, createSender, openQueue, type QueueConnection, type Sender } from "./index.ts";

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
const traceIdHere = () => traceIdOf(currentTrace() ?? "");
const traceOfJob = async (queue: "sweep" | "event") => {
  const [job] = await bullQueue(connection, queue).getJobs(["waiting"]);
  return String(job?.data.trace);
};

/** Handles `sweep` jobs and records the trace id of each start. */
function record(onStart: (jobId: string) => Promise<void> = async () => undefined) {
  const seen: { jobId: string; traceId: string | null }[] = [];
  const handle = async (_: unknown, { jobId }: { jobId: string }) => {
    // After an await too: the context follows the handler's promises.
    await connection.now();
    seen.push({ jobId, traceId: traceIdHere() });
    await onStart(jobId);
  };
  return { seen, start: () => consume(connection, "sweep", handle, { concurrency: 5 }) };
}

test("a message that a handler sends carries the trace id of the message that it handles", async () => {
  const { seen, start } = record(async (jobId) => {
    if (jobId === "first") await send("second");
    if (jobId === "second") await send("third");
  });
  await using _consumer = await start();
  const trace = newTraceparent();
  await withTrace(trace, () => send("first"));
  await expect.poll(() => seen.length).toBe(3);
  expect(new Set(seen.map(({ traceId }) => traceId))).toEqual(new Set([traceIdOf(trace)]));
});

test("an event of a handler carries the trace id of the message that it handles", async () => {
  const { seen, start } = record(() =>
    sender.event({ id: "emitted", type: "backend.closed", data: { backend: "test" } }),
  );
  await using _consumer = await start();
  await send("one");
  await expect.poll(() => bullQueue(connection, "event").getJobCountByTypes("waiting")).toBe(1);
  expect(traceIdOf(await traceOfJob("event"))).toBe(seen[0]?.traceId);
});

test("a message that is sent outside of a handler starts a new trace", async () => {
  const { seen, start } = record();
  await send("one");
  await send("two");
  await using _consumer = await start();
  await expect.poll(() => seen.length).toBe(2);
  expect(new Set(seen.map(({ traceId }) => traceId)).size).toBe(2);
  expect(currentTrace()).toBeNull();
});

test("the trace of a message can be given by its sender", async () => {
  const trace = newTraceparent();
  await withTrace(newTraceparent(), () =>
    sender.send("sweep", { why: "manual", repoId: DEFAULT_REPO }, { jobId: "given", trace }),
  );
  const sent = await traceOfJob("sweep");
  expect(traceIdOf(sent)).toBe(traceIdOf(trace));
  expect(sent).not.toBe(trace);
});

test("a redelivered message keeps its trace id", async () => {
  const { seen, start } = record(async () => {
    if (seen.length < 3) throw new Fault("model.unavailable", "busy", { retryable: true, retryAfterMs: 10 });
  });
  await send("again");
  await using _consumer = await start();
  await expect.poll(() => seen.length).toBe(3);
  expect(new Set(seen.map(({ traceId }) => traceId)).size).toBe(1);
});

test("each run of a schedule starts a trace of its own", async () => {
  const { seen, start } = record();
  await sender.schedule("sweep", "tick", 50, { why: "schedule", repoId: DEFAULT_REPO });
  await using _consumer = await start();
  await expect.poll(() => seen.length).toBeGreaterThan(2);
  expect(new Set(seen.map(({ traceId }) => traceId)).size).toBe(new Set(seen.map(({ jobId }) => jobId)).size);
});
