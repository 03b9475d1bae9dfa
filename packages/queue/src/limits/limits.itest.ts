import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRedis, type TestRedis } from "../../../../test/support/redis.ts";
import {
  acquireLease,
  acquireSlot,
  heldSlots,
  nextNumber,
  openQueue,
  releaseSlot,
  renewSlot,
  type QueueConnection,
} from "../index.ts";

let redis: TestRedis;
let replicas: QueueConnection[];

beforeAll(async () => {
  redis = await startRedis();
  replicas = await Promise.all([1, 2, 3].map(() => openQueue({ redisUrl: redis.url, service: "test" })));
});
afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()));
  await redis.stop();
});

/** Does it many times at once, from all replicas in turn. */
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

test("no more holders than places, whoever asks", async () => {
  const slot = { limit: 4, ttlMs: 60_000 };
  const take = (replica: QueueConnection, index: number) =>
    acquireSlot(replica, "places", { ...slot, holder: `h${index}` });
  const got = (await atOnce(30, take)).flatMap((taken, index) => (taken ? [`h${index}`] : []));
  expect(got).toHaveLength(4);
  expect((await heldSlots(first(), "places")).toSorted()).toEqual(got.toSorted());
  // A holder finds its own place again, as after a crash.
  expect(await acquireSlot(first(), "places", { ...slot, holder: got[0] ?? "" })).toBe(true);
  expect(await acquireSlot(first(), "places", { ...slot, holder: "late" })).toBe(false);
  await releaseSlot(first(), "places", got[0] ?? "");
  expect(await acquireSlot(first(), "places", { ...slot, holder: "late" })).toBe(true);
});

test("a place that is not renewed frees itself and cannot be renewed any more", async () => {
  const slot = { limit: 1, holder: "dead", ttlMs: 150 };
  expect(await acquireSlot(first(), "brief", slot)).toBe(true);
  expect(await renewSlot(first(), "brief", slot)).toBe(true);
  await expect
    .poll(() => acquireSlot(first(), "brief", { ...slot, holder: "next", ttlMs: 60_000 }))
    .toBe(true);
  expect(await renewSlot(first(), "brief", slot)).toBe(false);
  expect(await heldSlots(first(), "brief")).toEqual(["next"]);
});

test("one holder of a lease, which keeps it past its time until it lets go", async () => {
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

test("the lease of a holder whose connection is gone is free at once", async () => {
  const doomed = await openQueue({ redisUrl: redis.url, service: "test", onError: () => undefined });
  expect(await acquireLease(doomed, "orphaned", 60_000)).not.toBeNull();
  expect(await acquireLease(first(), "orphaned", 60_000)).toBeNull();
  doomed.redis.disconnect();
  await expect.poll(() => acquireLease(first(), "orphaned", 60_000)).not.toBeNull();
  await doomed[Symbol.asyncDispose]();
});

test("a lease says that it is lost when somebody else has it, and before it runs out while Redis is silent", async () => {
  await using stolen = await acquireLease(first(), "stolen", 300);
  await first().redis.set(first().key("leases", "stolen"), "somebody else");
  if (stolen && !stolen.lost.aborted) await once(stolen.lost, "abort");

  await using other = await openQueue({ redisUrl: redis.url, service: "test", onError: () => undefined });
  const since = performance.now();
  const silent = await acquireLease(other, "silent", 600);
  await first().redis.call("CLIENT", "PAUSE", "1500", "ALL");
  if (silent && !silent.lost.aborted) await once(silent.lost, "abort");
  expect(performance.now() - since).toBeLessThan(1_400);
  await silent?.[Symbol.asyncDispose]();
});

test("numbers are never given twice and never fall behind what is known", async () => {
  const numbers = await atOnce(50, (replica) => nextNumber(replica, "attempts", 0));
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  expect(await nextNumber(first(), "attempts", 90)).toBe(91);
  expect(await nextNumber(first(), "attempts", 3)).toBe(92);
});
