import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_REPO } from "@agentswarm/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { seededRandom } from "../../../test/support/seeded-random.ts";
import { openTcpProxy } from "../../../test/support/tcp-proxy.ts";
import { consume, createSender, jobState, openQueue, type QueueConnection } from "./index.ts";
import type { LivenessTimes } from "./liveness.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** Two replicas on connections of their own, each behind a proxy. Their jobs run until `end` is called. */
async function openReplicas(name: string, livenessTimes: Partial<LivenessTimes>, lockDurationMs = 30_000) {
  const stack = new AsyncDisposableStack();
  const prefix = `${redis.prefix}-${name}`;
  const ended = Promise.withResolvers<void>();
  const open = async () => {
    const proxy = stack.use(await openTcpProxy(new URL(redis.url)));
    const options = { redisUrl: proxy.url, prefix, service: "test", onError: () => undefined, livenessTimes };
    const connection = stack.use(await openQueue(options));
    const started: string[] = [];
    const aborted: unknown[] = [];
    const start = async () =>
      stack.use(
        await consume(
          connection,
          "sweep",
          async (_, { jobId, signal }) => {
            started.push(jobId);
            signal.addEventListener("abort", () => aborted.push(signal.reason), { once: true });
            await Promise.race([
              ended.promise,
              new Promise((resolve) => signal.addEventListener("abort", resolve)),
            ]);
            signal.throwIfAborted();
          },
          { concurrency: 10, lockDurationMs },
        ),
      );
    return { proxy, connection, started, aborted, start };
  };
  const a = await open();
  const b = await open();
  return { a, b, end: ended.resolve, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function sendJobs(connection: QueueConnection, count: number): Promise<string[]> {
  const sender = createSender(connection, "test");
  const ids = Array.from({ length: count }, (_, index) => `job-${index}`);
  for (const jobId of ids) await sender.send("sweep", { why: "manual", repoId: DEFAULT_REPO }, { jobId });
  return ids;
}

const isBack = (connection: QueueConnection) =>
  expect.poll(() => connection.redis.status, { timeout: 10_000 }).toBe("ready");

test("fault 18: a connection that is reset for a moment keeps its jobs, and no start counts as a crash", async () => {
  await using replicas = await openReplicas("moment", {
    beatEveryMs: 100,
    silentAfterMs: 3_000,
    quietMs: 500,
  });
  const { a, b, end } = replicas;
  await a.start();
  const ids = await sendJobs(b.connection, 10);
  await expect.poll(() => a.started.length).toBe(10);
  await b.start();

  a.proxy.refuse();
  await sleep(1_200);
  expect(b.started).toEqual([]);
  a.proxy.heal();
  await isBack(a.connection);
  end();
  for (const id of ids) {
    await expect.poll(() => jobState(b.connection, "sweep", id), { timeout: 10_000 }).toBe("completed");
  }
  expect(b.started).toEqual([]);
  expect(a.aborted).toEqual([]);
  await expect.poll(() => b.connection.redis.hlen(b.connection.key("crashes", "sweep"))).toBe(0);
});

test("after an outage for all, a replica that is back first leaves the jobs of the others alone for a while", async () => {
  await using replicas = await openReplicas("first", {
    beatEveryMs: 100,
    silentAfterMs: 400,
    quietMs: 6_000,
  });
  const { a, b } = replicas;
  await a.start();
  await sendJobs(b.connection, 1);
  await expect.poll(() => a.started.length).toBe(1);
  await b.start();

  a.proxy.refuse();
  b.proxy.refuse();
  // The heartbeats of both end meanwhile.
  await sleep(600);
  b.proxy.heal();
  await isBack(b.connection);
  // Enough for two looks of the fence.
  await sleep(900);
  a.proxy.heal();
  await isBack(a.connection);
  expect(b.started).toEqual([]);
  expect(a.aborted).toEqual([]);
});

test("a worker that is cut off loses its job to another one, learns it, and has not crashed", async () => {
  await using replicas = await openReplicas(
    "cut",
    { beatEveryMs: 100, silentAfterMs: 500, quietMs: 0 },
    3_000,
  );
  const { a, b, end } = replicas;
  await a.start();
  const [id = ""] = await sendJobs(b.connection, 1);
  await expect.poll(() => a.started.length).toBe(1);
  await b.start();

  a.proxy.refuse();
  await expect.poll(() => b.started, { timeout: 10_000 }).toEqual([id]);
  a.proxy.heal();
  await expect.poll(() => a.aborted, { timeout: 10_000 }).toEqual(["lost"]);
  // Only the start that goes on is left.
  const crashes = async () =>
    (await b.connection.redis.hget(b.connection.key("crashes", "sweep"), id))?.split(" ").length;
  await expect.poll(crashes).toBe(1);
  end();
  await expect.poll(() => jobState(b.connection, "sweep", id)).toBe("completed");
  expect(b.aborted).toEqual([]);
});

test("fault 18: packets that arrive late and in slices slow the work down, and no job is done twice", async () => {
  await using replicas = await openReplicas("slow", {});
  const { a, b, end } = replicas;
  end();
  for (const { proxy } of [a, b]) proxy.slowDown({ latencyMs: 20, slices: 5, random: seededRandom(18) });
  await Promise.all([a.start(), b.start()]);
  const ids = await sendJobs(b.connection, 6);
  for (const id of ids)
    await expect.poll(() => jobState(b.connection, "sweep", id), { timeout: 30_000 }).toBe("completed");
  expect([...a.started, ...b.started].toSorted()).toEqual(ids.toSorted());
});
