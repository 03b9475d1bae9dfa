import type { QueueConnection } from "../connect.ts";

const NEXT = `
local next = math.max(tonumber(redis.call("HGET", KEYS[1], ARGV[1]) or "0"), tonumber(ARGV[2])) + 1
redis.call("HSET", KEYS[1], ARGV[1], next)
return next`;

/** The next number of a counter: greater than all before and than `atLeast`, so that no number is given twice. */
export async function nextNumber(
  connection: QueueConnection,
  name: string,
  atLeast: number,
): Promise<number> {
  return Number(await connection.redis.eval(NEXT, 1, connection.key("counters"), name, atLeast));
}

/** Forgets counters, which begin anew if they are used again. */
export async function forgetNumbers(connection: QueueConnection, names: readonly string[]): Promise<void> {
  if (names.length > 0) await connection.redis.hdel(connection.key("counters"), ...names);
}
