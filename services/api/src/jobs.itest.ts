import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { DEFAULT_REPO, Fault } from "@agentswarm/contracts";
import { consume, createSender, jobState, type Consumer } from "@agentswarm/queue";
import { makeKey } from "../testing/make-key.ts";
import { startApi, type TestApi } from "../testing/start-api.ts";

let api: TestApi;
let consumer: Consumer;
/** Ids of jobs that fail. */
const broken = new Set<string>();
let job: string;
let sent = 0;

beforeAll(async () => {
  api = await startApi();
  const handler = async (_: unknown, { jobId }: { jobId: string }) => {
    if (broken.has(jobId)) throw new Fault("message.invalid", "a bug");
  };
  consumer = await consume(api.connection, "sweep", handler, { concurrency: 1, onError: () => undefined });
});
afterAll(async () => {
  await consumer[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  sent += 1;
  job = `job-${sent}`;
  broken.add(job);
  const sender = createSender(api.connection, "test");
  await sender.send("sweep", { why: "manual", repoId: DEFAULT_REPO }, { jobId: job });
  await becomes("failed");
});

const becomes = (state: string) =>
  expect.poll(() => jobState(api.connection, "sweep", job), { timeout: 20_000 }).toBe(state);
const failedIds = async (query = "") => {
  const { jobs } = (await (await api.ask(`/v1/jobs${query}`)).json()) as { jobs: { id: string }[] };
  return jobs.map(({ id }) => id);
};
const board = (path: string) => api.ask(`/queues/api/queues/sweep${path}`, { method: "PUT" });

test("a dead letter is listed with its queue and the reason", async () => {
  const { jobs } = (await (await api.ask("/v1/jobs?state=failed")).json()) as { jobs: object[] };
  expect(jobs).toContainEqual({
    queue: "sweep",
    id: job,
    reason: "message.invalid: a bug",
    failedAt: expect.any(Number),
    attempts: 1,
  });
  expect(await failedIds("?queue=merge")).toEqual([]);
  expect(await failedIds("?limit=1")).toEqual([job]);
});

test("a dead letter is retried", async () => {
  broken.delete(job);
  const answer = await api.post(`/v1/jobs/sweep/${job}/retry`, {});
  expect([answer.status, await answer.json()]).toEqual([202, { queue: "sweep", id: job }]);
  await becomes("completed");
  expect(await failedIds()).not.toContain(job);
});

test.each([
  ["a job that does not exist", "sweep/none", 404],
  ["a queue that does not exist", "nothing/none", 400],
])("the retry of %s is refused", async (_name, path, status) => {
  expect((await api.post(`/v1/jobs/${path}/retry`, {})).status).toBe(status);
});

test("the retry of a job that has not failed is refused", async () => {
  broken.delete(job);
  await api.post(`/v1/jobs/sweep/${job}/retry`, {});
  await becomes("completed");
  expect((await api.post(`/v1/jobs/sweep/${job}/retry`, {})).status).toBe(409);
});

test("the board retries one failed job", async () => {
  broken.delete(job);
  expect((await board(`/${job}/retry`)).status).toBe(204);
  await becomes("completed");
  expect((await board(`/${job}/retry`)).status).toBe(409);
});

test("the board retries all failed jobs of a queue", async () => {
  const failed = await failedIds();
  broken.clear();
  const answer = await board("/retry/failed");
  expect([answer.status, await answer.json()]).toEqual([200, { retried: failed.length, skipped: 0 }]);
  await becomes("completed");
});

test("a key that may only read lists dead letters and retries none", async () => {
  await using locked = await startApi();
  const authorization = `Bearer ${await makeKey(locked.env, "viewer")}`;
  const status = async (path: string, method: string) =>
    (await locked.ask(path, { method, headers: { authorization } })).status;
  expect(await status("/v1/jobs", "GET")).toBe(200);
  expect(await status("/v1/jobs/sweep/one/retry", "POST")).toBe(403);
  expect(await status("/queues/api/queues/sweep/one/retry", "PUT")).toBe(403);
});
