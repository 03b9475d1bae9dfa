import type { QueueConnection } from "../connect.ts";

const ACQUIRE = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
if not redis.call("ZSCORE", KEYS[1], ARGV[1]) and redis.call("ZCARD", KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call("ZADD", KEYS[1], now + ARGV[3], ARGV[1])
return 1`;

/**
 * Takes one of `limit` places that all replicas share, or says false. A holder that does not renew within `ttlMs`
 * loses its place, so a crash frees it.
 */
export async function acquireSlot(
  connection: QueueConnection,
  name: string,
  slot: { limit: number; holder: string; ttlMs: number },
): Promise<boolean> {
  const key = connection.key("slots", name);
  return (await connection.redis.eval(ACQUIRE, 1, key, slot.holder, slot.limit, slot.ttlMs)) === 1;
}

const RENEW = `
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = redis.call("ZSCORE", KEYS[1], ARGV[1])
if not ends or tonumber(ends) <= now then return 0 end
redis.call("ZADD", KEYS[1], now + ARGV[2], ARGV[1])
return 1`;

/** Keeps a place for another `ttlMs`. False when it was lost: then it has to be acquired again. */
export async function renewSlot(
  connection: QueueConnection,
  name: string,
  slot: { holder: string; ttlMs: number },
): Promise<boolean> {
  const key = connection.key("slots", name);
  return (await connection.redis.eval(RENEW, 1, key, slot.holder, slot.ttlMs)) === 1;
}

export async function releaseSlot(connection: QueueConnection, name: string, holder: string): Promise<void> {
  await connection.redis.zrem(connection.key("slots", name), holder);
}

/** Who holds a place now. */
export async function heldSlots(connection: QueueConnection, name: string): Promise<string[]> {
  const now = await connection.now();
  return connection.redis.zrangebyscore(connection.key("slots", name), now, "+inf");
}
