import type { QueueConnection } from "../connect.ts";

/**
 * Claims work that the whole swarm does at most once within `everyMs` milliseconds, however many replicas ask for it.
 * False: somebody has claimed it within that time.
 */
export async function claimTurn(
  { redis, key }: Pick<QueueConnection, "redis" | "key">,
  name: string,
  everyMs: number,
): Promise<boolean> {
  return (await redis.set(key("claims", name), "1", "PX", everyMs, "NX")) !== null;
}
