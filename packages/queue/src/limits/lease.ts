import { randomUUID } from "node:crypto";
import type { QueueConnection } from "../connect.ts";
import { withDeadline } from "../deadline.ts";
import { idOf } from "../liveness.ts";

/** An exclusive right, for as long as it is renewed. */
export interface Lease extends AsyncDisposable {
  /** Aborted before the lease expires because no renewal succeeded, and when another holder has it. */
  readonly lost: AbortSignal;
}

const RENEW = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("PEXPIRE", KEYS[1], ARGV[2]) end return 0`;
const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`;
const RELEASE_WITHIN_MS = 1_000;

/**
 * Acquires the lease; null while another holder has it, and when Redis answers too late. The lease renews itself every
 * third of `ttlMs` (milliseconds). The lease of a connection that is known to be dead is free at once: code that a lease
 * guards must tolerate two holders for a moment anyway.
 */
export async function acquireLease(
  connection: QueueConnection,
  name: string,
  ttlMs: number,
): Promise<Lease | null> {
  const key = connection.key("leases", name);
  const { redis } = connection;
  const token = `${connection.id}/${randomUUID()}`;
  // Measured before each call: Redis starts the time to live at some moment after.
  let heldSince = performance.now();
  if ((await redis.set(key, token, "PX", ttlMs, "NX")) === null) {
    await freeDead(connection, key);
    heldSince = performance.now();
    if ((await redis.set(key, token, "PX", ttlMs, "NX")) === null) return null;
  }
  // An answer that is as late as that proves nothing: the lease may have expired meanwhile, and would be lost at once.
  if (performance.now() - heldSince >= ttlMs) {
    await redis.eval(RELEASE, 1, key, token);
    return null;
  }

  const lost = new AbortController();
  let deadline: NodeJS.Timeout | undefined;
  const lose = () => {
    clearInterval(renewal);
    clearTimeout(deadline);
    lost.abort("lease lost");
  };
  const watch = () => {
    clearTimeout(deadline);
    deadline = setTimeout(lose, heldSince + ttlMs - performance.now());
  };
  const renew = async () => {
    const askedAt = performance.now();
    const renewed = await redis.eval(RENEW, 1, key, token, ttlMs).catch(() => "unknown");
    if (lost.signal.aborted || released || renewed === "unknown") return;
    if (renewed !== 1) return lose();
    heldSince = askedAt;
    watch();
  };
  let released = false;
  const renewal = setInterval(() => void renew(), ttlMs / 3);
  watch();
  return {
    lost: lost.signal,
    async [Symbol.asyncDispose]() {
      released = true;
      clearInterval(renewal);
      clearTimeout(deadline);
      // While Redis is away the lease expires by itself.
      await withDeadline(redis.eval(RELEASE, 1, key, token), RELEASE_WITHIN_MS).catch(() => undefined);
    },
  };
}

/** Removes a lease whose holder is dead. */
async function freeDead({ redis, liveness }: QueueConnection, key: string): Promise<void> {
  const held = await redis.get(key);
  if (held === null) return;
  const holder = idOf(held);
  // Version 0.1 named the holder by its client's number; such a lease expires by itself.
  if (/^\d+$/.test(holder)) return;
  if ((await liveness.findDead([holder])).has(holder)) await redis.eval(RELEASE, 1, key, held);
}
