import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_REPO, Fault } from "@agentswarm/contracts";
import { currentTrace } from "@agentswarm/contracts/node";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import {
  consume,
  createSender,
  jobState,
  listFailedJobs,
  openQueue,
  retryJob,
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
const start = (handler: Handler<"sweep">) =>
  consume(connection, "sweep", handler, { concurrency: 1, onDeadLetter: () => undefined });
const fail: Handler<"sweep"> = async () => {
  throw new Fault("message.invalid", "a bug");
};
const becomes = (jobId: string, state: string) =>
  expect.poll(() => jobState(connection, "sweep", jobId)).toBe(state);

test("a retried dead letter is handled again with its message and trace", async () => {
  let fixed = false;
  const traces: (string | null)[] = [];
  await using _consumer = await start(async (body) => {
    expect(body).toMatchObject({ why: "manual" });
    traces.push(currentTrace());
    if (!fixed) throw new Fault("message.invalid", "a bug");
  });
  await send("one");
  await becomes("one", "failed");
  fixed = true;
  await retryJob(connection, "sweep", "one");
  await becomes("one", "completed");
  expect(traces).toHaveLength(2);
  expect(new Set(traces).size).toBe(1);
  expect(await listFailedJobs(connection, "sweep", { limit: 10 })).toEqual([]);
});

test("a retry forgets the crashes that made the job a dead letter", async () => {
  const crashes = connection.key("crashes", "sweep");
  await send("crashing");
  await connection.redis.hset(crashes, "crashing", "t1 t2 t3 t4 t5");
  const seen: number[] = [];
  await using _consumer = await start(async (_, job) => void seen.push(job.crashes));
  await becomes("crashing", "failed");
  // As when Redis lost the reset of the count.
  await connection.redis.hset(crashes, "crashing", "t1 t2 t3 t4 t5");
  await retryJob(connection, "sweep", "crashing");
  await becomes("crashing", "completed");
  expect(seen).toEqual([0]);
});

test("a job that has not failed cannot be retried and keeps its crashes", async () => {
  await send("waiting");
  await connection.redis.hset(connection.key("crashes", "sweep"), "waiting", "t1 t2");
  await expect(retryJob(connection, "sweep", "waiting")).rejects.toMatchObject({
    code: "conflict",
    message: "job waiting of queue sweep is waiting: only a failed job can be retried",
  });
  expect(await connection.redis.hget(connection.key("crashes", "sweep"), "waiting")).toBe("t1 t2");
});

test("an unknown job cannot be retried", async () => {
  await send("other");
  // `wait` and `meta` are keys of BullMQ.
  for (const id of ["nothing", "wait", "meta"])
    await expect(retryJob(connection, "sweep", id)).rejects.toMatchObject({ code: "not-found" });
});

test("of many retries at once one succeeds", async () => {
  const consumer = await start(fail);
  await send("one");
  await becomes("one", "failed");
  await consumer[Symbol.asyncDispose]();
  const tries = await Promise.allSettled([1, 2, 3].map(() => retryJob(connection, "sweep", "one")));
  expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(await jobState(connection, "sweep", "one")).toBe("waiting");
});

test("failed jobs are listed newest first, up to the limit", async () => {
  await using _consumer = await start(fail);
  for (const jobId of ["a", "b", "c"]) {
    await send(jobId);
    await becomes(jobId, "failed");
    await sleep(2);
  }
  const failed = await listFailedJobs(connection, "sweep", { limit: 2 });
  expect(failed).toEqual([
    { id: "c", failedReason: "message.invalid: a bug", finishedOn: expect.any(Number), attempts: 1 },
    { id: "b", failedReason: "message.invalid: a bug", finishedOn: expect.any(Number), attempts: 1 },
  ]);
  expect(await listFailedJobs(connection, "plan", { limit: 2 })).toEqual([]);
});
