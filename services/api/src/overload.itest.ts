import { expect, test } from "vitest";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { makeKey } from "../testing/make-key.ts";
import { startApi } from "../testing/start-api.ts";

test("requests above the limit are answered 429 with Retry-After, counted per key and without the probes", async () => {
  await using api = await startApi();
  const refused = await waitUntil("the limit", 50_000, async () => {
    const asked = await Promise.all(Array.from({ length: 500 }, () => api.ask("/v1/tasks/none")));
    for (const answer of asked) if (answer.status !== 429) await answer.body?.cancel();
    return asked.find(({ status }) => status === 429) ?? null;
  });
  expect(refused.headers.get("content-type")).toContain("application/problem+json");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ status: 429 });
  expect((await api.ask("/healthz")).status).toBe(200);
  expect((await api.ask("/readyz")).status).toBe(200);
  const authorization = `Bearer ${await makeKey(api.env)}`;
  expect((await api.ask("/v1/status", { headers: { authorization } })).status).toBe(200);
});

test("while Redis is full, submissions are answered 503 with Retry-After and reads are answered (fault 15)", async () => {
  await using api = await startApi({}, "the server is full");
  const { redis } = api.connection;
  const submit = () => api.post("/v1/features", { title: "Kept" }, { "idempotency-key": "full" });
  await redis.config("SET", "maxmemory", "1");
  const refused = await submit();
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({ type: "urn:agentswarm:redis-unavailable", status: 503 });
  expect((await api.ask("/v1/features")).status).toBe(200);
  await redis.config("SET", "maxmemory", "0");
  const accepted = await submit();
  expect(accepted.status).toBe(202);
  const { id } = (await accepted.json()) as { id: string };
  expect((await bullQueue(api.connection, "plan").getJobs()).map((job) => job.id)).toEqual([`feature-${id}`]);
});

test("a submission that is repeated while Redis is silent makes one feature", async () => {
  await using api = await startApi({}, "the server is silent");
  const submit = () =>
    api.post("/v1/features", { title: "Into the silence" }, { "idempotency-key": "silence" });
  await api.redis.pause();
  try {
    const asked = [submit(), submit(), api.ask("/queues/api/queues"), api.ask("/v1/events")];
    const answers = await Promise.all(
      asked.map((one) => Promise.race([one, new Promise<null>((done) => setTimeout(done, 15_000, null))])),
    );
    expect(answers.map((answer) => answer?.status)).toEqual([503, 503, 503, 503]);
  } finally {
    await api.redis.resume();
  }
  const accepted = await waitUntil("the api's recovery", 30_000, async () => {
    const answer = await submit();
    return answer.status === 202 ? ((await answer.json()) as { id: string }) : null;
  });
  expect((await bullQueue(api.connection, "plan").getJobs()).map((job) => job.id)).toEqual([
    `feature-${accepted.id}`,
  ]);
});
