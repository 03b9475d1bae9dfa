import { randomUUID } from "node:crypto";
import type { QueueConnection } from "../connect.ts";
import { idOf } from "../liveness.ts";

/** One of a limited number of places that all replicas share, for as long as it is renewed. */
export interface Slot extends AsyncDisposable {
  /** Aborted when the slot expired and others have taken all places: stop what it allowed. */
  readonly lost: AbortSignal;
}

/** Gives 1, or the holders while all slots are held. */
const ACQUIRE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
if not redis.call("ZSCORE", KEYS[1], ARGV[1]) and redis.call("ZCARD", KEYS[1]) >= tonumber(ARGV[2]) then
  return redis.call("ZRANGE", KEYS[1], 0, -1)
end
redis.call("ZADD", KEYS[1], now + ARGV[3], ARGV[1])
return 1`;

/**
 * Acquires one of `limit` slots that all replicas share; null while all are held. Each call is another holder, so that a
 * run that was taken over frees nothing of the run that took over. The slot renews itself every third of `ttlMs`
 * (milliseconds). The slots of a connection that is known to be dead are free at once.
 */
export async function acquireSlot(
  connection: QueueConnection,
  name: string,
  { limit, ttlMs }: { limit: number; ttlMs: number },
): Promise<Slot | null> {
  const { redis } = connection;
  const key = connection.key("slots", name);
  const holder = `${connection.id}/${randomUUID()}`;
  const acquire = () => redis.eval(ACQUIRE, 1, key, holder, limit, ttlMs) as Promise<1 | string[]>;

  const answer = await acquire();
  if (answer !== 1) {
    await freeDead(connection, key, answer);
    if ((await acquire()) !== 1) return null;
  }

  const lost = new AbortController();
  const renew = async () => {
    // Without an answer the slot may be held still.
    if ((await acquire().catch(() => 1)) === 1) return;
    clearInterval(renewal);
    lost.abort("slot lost");
  };
  const renewal = setInterval(() => void renew(), ttlMs / 3);
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(renewal);
      // While Redis does not answer the slot expires by itself; the result of the work must not be lost over it.
      await redis.zrem(key, holder).catch(() => undefined);
    },
  };
}

async function freeDead(connection: QueueConnection, key: string, holders: readonly string[]): Promise<void> {
  const dead = await connection.liveness.findDead([...new Set(holders.map(idOf))]);
  const freed = holders.filter((holder) => dead.has(idOf(holder)));
  if (freed.length > 0) await connection.redis.zrem(key, ...freed);
}
