import type { QueueConnection } from "./connect.ts";

const REPORT_EVERY_MS = 5_000;
const KEPT_MS = 60_000;

/**
 * Tells the metrics every 5 s how long this process kept its event loop from turning: `takeMaxMs` gives the longest
 * time since the last call. What is older than a minute is removed, so that nothing grows with restarts.
 */
export function reportLag(connection: QueueConnection, takeMaxMs: () => number): Disposable {
  const { redis, service, id, report } = connection;
  const key = connection.key("loop-lag");
  const reportLagOnce = async () => {
    if (redis.status !== "ready") return;
    const now = await connection.now();
    await redis.zremrangebyscore(key, "-inf", now - KEPT_MS);
    await redis.zadd(key, now, `${service} ${id} ${takeMaxMs()}`);
  };
  const timer = setInterval(() => void reportLagOnce().catch(report), REPORT_EVERY_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** The longest lag of late in milliseconds, by service; by default of the last minute. */
export async function readLag(
  connection: QueueConnection,
  withinMs = KEPT_MS,
): Promise<ReadonlyMap<string, number>> {
  const since = (await connection.now()) - withinMs;
  const lags = new Map<string, number>();
  for (const member of await connection.redis.zrangebyscore(connection.key("loop-lag"), since, "+inf")) {
    const [service = "", , ms] = member.split(" ");
    lags.set(service, Math.max(lags.get(service) ?? 0, Number(ms)));
  }
  return lags;
}
