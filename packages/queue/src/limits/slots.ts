import type { QueueConnection } from "../connect.ts";

const ACQUIRE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
if not redis.call("ZSCORE", KEYS[1], ARGV[1]) and redis.call("ZCARD", KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call("ZADD", KEYS[1], now + ARGV[3], ARGV[1])
return 1`;

/**
 * Acquires one of `limit` slots that all replicas share; false while all are held. A holder that acquires again keeps its
 * slot and renews it. A slot that is not renewed for `ttlMs` milliseconds is free, so a crash frees it.
 */
export async function acquireSlot(
  connection: QueueConnection,
  name: string,
  slot: { limit: number; holder: string; ttlMs: number },
): Promise<boolean> {
  const key = connection.key("slots", name);
  return (await connection.redis.eval(ACQUIRE, 1, key, slot.holder, slot.limit, slot.ttlMs)) === 1;
}

/** Frees a slot; a holder without one is no error. */
export async function releaseSlot(connection: QueueConnection, name: string, holder: string): Promise<void> {
  await connection.redis.zrem(connection.key("slots", name), holder);
}
