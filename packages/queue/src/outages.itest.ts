import { setTimeout as sleep } from "node:timers/promises";
import { asFault, DEFAULT_REPO } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { startRedis } from "../../../test/support/redis.ts";
import { bullQueue } from "../../../test/support/queue.ts";
import { openTcpProxy } from "../../../test/support/tcp-proxy.ts";
import { consume, createSender, jobState, openQueue, ping } from "./index.ts";

const faultOf = (promise: Promise<unknown>) => promise.then(() => null, asFault);
const quiet = () => undefined;

test("fault 10: no acknowledged job is lost when Redis is killed and restarted", async () => {
  await using redis = await startRedis({ durable: true });
  await using connection = await openQueue({ redisUrl: redis.url, service: "test", onError: quiet });
  const sender = createSender(connection, "test");
  const acknowledged = new Set<string>();
  const handled = new Set<string>();
  await using _consumer = await consume(
    connection,
    "sweep",
    async (_, { jobId }) => {
      await sleep(5);
      handled.add(jobId);
    },
    { concurrency: 5 },
  );
  const half = Promise.withResolvers<void>();
  const sending = (async () => {
    for (let index = 0; index < 400; index += 1) {
      const jobId = `job-${index}`;
      await sender.send("sweep", { why: "manual", repoId: DEFAULT_REPO }, { jobId });
      acknowledged.add(jobId);
      if (index === 200) half.resolve();
    }
  })();
  await half.promise;
  await redis.restart();
  await sending;
  expect(acknowledged.size).toBe(400);
  await expect
    .poll(() => [...acknowledged].filter((id) => !handled.has(id)), { timeout: 20_000 })
    .toEqual([]);
});

test("fault 15: a full Redis pauses the worker and makes no dead letters", async () => {
  await using redis = await startRedis({ exclusive: "the server is full" });
  await using connection = await openQueue({ redisUrl: redis.url, service: "test", onError: quiet });
  const sender = createSender(connection, "test");
  const reported: unknown[] = [];
  const first = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await using _consumer = await consume(
    connection,
    "sweep",
    async () => {
      first.resolve();
      await release.promise;
    },
    {
      concurrency: 1,
      onError: (error) => reported.push(error),
      lockDurationMs: 1_500,
      stalledIntervalMs: 500,
    },
  );
  await sender.send("sweep", { why: "manual", repoId: DEFAULT_REPO }, { jobId: "one" });
  await sender.send("sweep", { why: "manual", repoId: DEFAULT_REPO }, { jobId: "two" });
  await first.promise;
  await connection.redis.config("SET", "maxmemory", "1");
  release.resolve();
  await expect.poll(() => reported.length).toBeGreaterThan(0);
  const event = sender.event({ id: "while-full", type: "backend.closed", data: { backend: "test" } });
  await sleep(2_500);
  expect(reported.length).toBeLessThan(10);

  await connection.redis.config("SET", "maxmemory", "0");
  for (const id of ["one", "two"]) {
    await expect.poll(() => jobState(connection, "sweep", id), { timeout: 20_000 }).toBe("completed");
  }
  // The event that was emitted meanwhile did not block its emitter and is not lost.
  await event;
  await expect.poll(() => bullQueue(connection, "event").getJobCountByTypes("waiting")).toBe(1);
});

test("fault 16: an eviction policy that loses jobs is refused by the name of the setting", async () => {
  await using redis = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
  const fault = await faultOf(openQueue({ redisUrl: redis.url, service: "test" }));
  expect(fault).toMatchObject({ code: "redis.misconfigured", source: "operator" });
  expect(fault?.message).toMatch(/maxmemory-policy.*noeviction/);
});

test("a Redis that does not answer is named at once", async () => {
  const fault = await faultOf(
    openQueue({ redisUrl: "redis://:geheim@127.0.0.1:1", service: "test", onError: quiet }),
  );
  expect(fault).toMatchObject({ code: "redis.unavailable", retryable: true });
  expect(fault?.message).not.toContain("geheim");
});

test("fault 17: commands end at their deadline in a silent partition, and consumers recover after it", async () => {
  await using redis = await startRedis();
  await using proxy = await openTcpProxy(new URL(redis.url));
  await using direct = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "direct" });
  await using connection = await openQueue({
    redisUrl: proxy.url,
    prefix: redis.prefix,
    service: "test",
    onError: quiet,
    silenceMs: 1_000,
  });
  const handled: string[] = [];
  await using _consumer = await consume(
    connection,
    "sweep",
    async (_, { jobId }) => void handled.push(jobId),
    {
      concurrency: 2,
    },
  );
  await ping(connection, 2_000);

  proxy.silence();
  const since = performance.now();
  expect(await faultOf(ping(connection, 500))).toMatchObject({ code: "redis.unavailable", retryable: true });
  expect(performance.now() - since).toBeLessThan(1_500);
  await createSender(direct, "direct").send(
    "sweep",
    { why: "manual", repoId: DEFAULT_REPO },
    { jobId: "meanwhile" },
  );

  proxy.heal();
  await expect.poll(() => faultOf(ping(connection, 500)), { timeout: 20_000 }).toBeNull();
  await expect.poll(() => handled, { timeout: 20_000 }).toEqual(["meanwhile"]);
});
