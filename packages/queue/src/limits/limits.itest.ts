import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { slotHolders } from "../../../../test/support/queue.ts";
import { startRedis, type TestRedis } from "../../../../test/support/redis.ts";
import {
  acquireLease,
  acquireSlot,
  nextNumber,
  openQueue,
  releaseSlot,
  type QueueConnection,
} from "../index.ts";

let redis: TestRedis;
let replicas: QueueConnection[];

beforeAll(async () => {
  redis = await startRedis();
  replicas = await Promise.all(
    [1, 2, 3].map(() => openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" })),
  );
});
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()));
  await redis.stop();
});

/** Calls `act` many times at once, with the replicas in turn. */
function atOnce<T>(
  times: number,
  act: (replica: QueueConnection, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    Array.from({ length: times }, (_, index) =>
      act(replicas[index % replicas.length] as QueueConnection, index),
    ),
  );
}
const first = () => replicas[0] as QueueConnection;

test("replicas together hold no more slots than the limit", async () => {
  const slot = { limit: 4, ttlMs: 60_000 };
  const take = (replica: QueueConnection, index: number) =>
    acquireSlot(replica, "limited", { ...slot, holder: `h${index}` });
  const got = (await atOnce(30, take)).flatMap((taken, index) => (taken ? [`h${index}`] : []));
  expect(got).toHaveLength(4);
  expect((await slotHolders(first(), "limited")).toSorted()).toEqual(got.toSorted());
  // A holder acquires its own slot again, as after a crash.
  expect(await acquireSlot(first(), "limited", { ...slot, holder: got[0] ?? "" })).toBe(true);
  expect(await acquireSlot(first(), "limited", { ...slot, holder: "late" })).toBe(false);
  await releaseSlot(first(), "limited", got[0] ?? "");
  expect(await acquireSlot(first(), "limited", { ...slot, holder: "late" })).toBe(true);
});

test("a slot that is not renewed expires and cannot be renewed any more", async () => {
  const slot = { limit: 1, holder: "dead", ttlMs: 150 };
  expect(await acquireSlot(first(), "brief", slot)).toBe(true);
  expect(await acquireSlot(first(), "brief", slot)).toBe(true);
  await expect
    .poll(() => acquireSlot(first(), "brief", { ...slot, holder: "next", ttlMs: 60_000 }))
    .toBe(true);
  expect(await acquireSlot(first(), "brief", slot)).toBe(false);
  expect(await slotHolders(first(), "brief")).toEqual(["next"]);
});

test("a lease has one holder, which keeps it past its time to live until it is released", async () => {
  const leases = await atOnce(12, (replica) => acquireLease(replica, "sole", 300));
  const [lease] = leases.filter((one) => one !== null);
  expect(leases.filter((one) => one !== null)).toHaveLength(1);
  const since = performance.now();
  while (performance.now() - since < 900) expect(await acquireLease(first(), "sole", 300)).toBeNull();
  expect(lease?.lost.aborted).toBe(false);
  await lease?.[Symbol.asyncDispose]();
  await using next = await acquireLease(first(), "sole", 300);
  expect(next).not.toBeNull();
});

test("the lease of a disconnected holder is free at once", async () => {
  const doomed = await openQueue({
    redisUrl: redis.url,
    prefix: redis.prefix,
    service: "test",
    onError: () => undefined,
  });
  expect(await acquireLease(doomed, "orphaned", 60_000)).not.toBeNull();
  expect(await acquireLease(first(), "orphaned", 60_000)).toBeNull();
  doomed.redis.disconnect();
  await expect.poll(() => acquireLease(first(), "orphaned", 60_000)).not.toBeNull();
  await doomed[Symbol.asyncDispose]();
});

test("a lease is lost when another holder has it, and before it expires while Redis is silent", async () => {
  await using stolen = await acquireLease(first(), "stolen", 300);
  await first().redis.set(first().key("leases", "stolen"), "another holder");
  if (stolen && !stolen.lost.aborted) await once(stolen.lost, "abort");

  await using own = await startRedis({ exclusive: "the server is silent" });
  await using other = await openQueue({ redisUrl: own.url, service: "test", onError: () => undefined });
  await using pausing = await openQueue({ redisUrl: own.url, service: "test" });
  const since = performance.now();
  const silent = await acquireLease(other, "silent", 600);
  await pausing.redis.call("CLIENT", "PAUSE", "1500", "ALL");
  if (silent && !silent.lost.aborted) await once(silent.lost, "abort");
  expect(performance.now() - since).toBeLessThan(1_400);
  await silent?.[Symbol.asyncDispose]();
});

test("a counter gives no number twice and none below a known one", async () => {
  const numbers = await atOnce(50, (replica) => nextNumber(replica, "attempts", 0));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  expect(await nextNumber(first(), "attempts", 90)).toBe(91);
  expect(await nextNumber(first(), "attempts", 3)).toBe(92);
});
