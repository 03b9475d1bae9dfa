import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { slotHolders } from "../../../../test/support/queue.ts";
import { startRedis, type TestRedis } from "../../../../test/support/redis.ts";
import { openTcpProxy } from "../../../../test/support/tcp-proxy.ts";
import { acquireLease, acquireSlot, nextNumber, openQueue, type QueueConnection } from "../index.ts";

/** Long against the stalls of a busy machine, in which a slot or lease would not be renewed in time. */
const TTL_MS = 1_200;

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

/** Calls `act` every 20 ms for a while. */
async function everyWhile(forMs: number, act: () => Promise<void>): Promise<void> {
  for (const since = performance.now(); performance.now() - since < forMs; await sleep(20)) await act();
}

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
  const slots = await atOnce(30, (replica) => acquireSlot(replica, "limited", slot));
  const held = slots.filter((one) => one !== null);
  expect(held).toHaveLength(4);
  expect(await slotHolders(first(), "limited")).toHaveLength(4);
  expect(await acquireSlot(first(), "limited", slot)).toBeNull();
  await held[0]?.[Symbol.asyncDispose]();
  await using late = await acquireSlot(first(), "limited", slot);
  expect(late).not.toBeNull();
  for (const one of held) await one[Symbol.asyncDispose]();
});

test("a release frees the own slot only, also when it comes late", async () => {
  const slot = { limit: 1, ttlMs: 60_000 };
  const stale = await acquireSlot(first(), "single", slot);
  // As when the slot expired while its holder was suspended.
  await first().redis.del(first().key("slots", "single"));
  await using current = await acquireSlot(first(), "single", slot);
  expect(current).not.toBeNull();
  await stale?.[Symbol.asyncDispose]();
  expect(await acquireSlot(first(), "single", slot)).toBeNull();
});

test("a slot is kept past its time to live, and lost when it expired and another run has the place", async () => {
  const slot = { limit: 1, ttlMs: TTL_MS };
  await using held = await acquireSlot(first(), "brief", slot);
  await everyWhile(2 * TTL_MS, async () => expect(await acquireSlot(first(), "brief", slot)).toBeNull());
  expect(held?.lost.aborted).toBe(false);
  // Another run takes the place at the moment at which it is free.
  const key = first().key("slots", "brief");
  await first()
    .redis.multi()
    .del(key)
    .zadd(key, (await first().now()) + 60_000, "other/1")
    .exec();
  if (held && !held.lost.aborted) await once(held.lost, "abort");
  expect(held?.lost.reason).toBe("slot lost");
});

test("a lease has one holder, which keeps it past its time to live until it is released", async () => {
  const leases = await atOnce(12, (replica) => acquireLease(replica, "sole", TTL_MS));
  const [lease] = leases.filter((one) => one !== null);
  expect(leases.filter((one) => one !== null)).toHaveLength(1);
  await everyWhile(2 * TTL_MS, async () => expect(await acquireLease(first(), "sole", TTL_MS)).toBeNull());
  expect(lease?.lost.aborted).toBe(false);
  await lease?.[Symbol.asyncDispose]();
  await using next = await acquireLease(first(), "sole", TTL_MS);
  expect(next).not.toBeNull();
});

test("a lease or slot of a connection that is away for a moment is kept, and free when the connection is dead", async () => {
  const doomed = await openQueue({
    redisUrl: redis.url,
    prefix: redis.prefix,
    service: "test",
    onError: () => undefined,
    livenessTimes: { silentAfterMs: 700, beatEveryMs: 100 },
  });
  const slot = { limit: 1, ttlMs: 60_000 };
  expect(await acquireLease(doomed, "orphaned", 60_000)).not.toBeNull();
  expect(await acquireSlot(doomed, "orphaned", slot)).not.toBeNull();
  doomed.redis.disconnect();
  await sleep(200);
  expect(await acquireLease(first(), "orphaned", 60_000)).toBeNull();
  expect(await acquireSlot(first(), "orphaned", slot)).toBeNull();
  await expect.poll(() => acquireLease(first(), "orphaned", 60_000), { timeout: 5_000 }).not.toBeNull();
  expect(await acquireSlot(first(), "orphaned", slot)).not.toBeNull();
  await doomed[Symbol.asyncDispose]();
});

test("a lease that Redis gives later than it lasts is not held, and free for the next who asks", async () => {
  await using network = await openTcpProxy(new URL(redis.url));
  await using far = await openQueue({ redisUrl: network.url, prefix: redis.prefix, service: "test" });
  network.slowDown({ latencyMs: 200, slices: 1, random: () => 1 });
  expect(await acquireLease(far, "late", 300)).toBeNull();
  network.heal();
  await using lease = await acquireLease(far, "late", TTL_MS);
  expect(lease?.lost.aborted).toBe(false);
});

test("a lease is lost when another holder has it, and before it expires while Redis is silent", async () => {
  await using stolen = await acquireLease(first(), "stolen", 300);
  await first().redis.set(first().key("leases", "stolen"), "another holder");
  if (stolen && !stolen.lost.aborted) await once(stolen.lost, "abort");
  // A release of the stale holder frees nothing of the other one's.
  await stolen?.[Symbol.asyncDispose]();
  expect(await first().redis.get(first().key("leases", "stolen"))).toBe("another holder");

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
