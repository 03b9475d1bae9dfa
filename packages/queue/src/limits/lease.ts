import { randomUUID } from "node:crypto";
import type { QueueConnection } from "../connect.ts";

/** The sole right to do something, while it is renewed. */
export interface Lease extends AsyncDisposable {
  /** Aborted when the lease could not be renewed in time. */
  readonly lost: AbortSignal;
}

const RENEW = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("PEXPIRE", KEYS[1], ARGV[2]) end return 0`;
const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`;

/** Takes the lease, or null while somebody else holds it. It renews itself every third of `ttlMs`. */
export async function acquireLease(
  connection: QueueConnection,
  name: string,
  ttlMs: number,
): Promise<Lease | null> {
  const key = connection.key("leases", name);
  const token = randomUUID();
  const { redis } = connection;
  if ((await redis.set(key, token, "PX", ttlMs, "NX")) === null) return null;
  const lost = new AbortController();
  let renewedAt = Date.now();
  const timer = setInterval(() => {
    if (Date.now() - renewedAt > ttlMs) lost.abort("lease lost");
    void redis.eval(RENEW, 1, key, token, ttlMs).then(
      (renewed) => {
        if (renewed === 1) renewedAt = Date.now();
        else lost.abort("lease lost");
      },
      () => undefined,
    );
  }, ttlMs / 3);
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await redis.eval(RELEASE, 1, key, token);
    },
  };
}
