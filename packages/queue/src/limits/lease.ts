import { randomUUID } from "node:crypto";
import type { QueueConnection } from "../connect.ts";
import { withDeadline } from "../deadline.ts";

/** An exclusive right, for as long as it is renewed. */
export interface Lease extends AsyncDisposable {
  /** Aborted before the lease expires because no renewal succeeded, and when another holder has it. */
  readonly lost: AbortSignal;
}

const RENEW = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("PEXPIRE", KEYS[1], ARGV[2]) end return 0`;
const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`;
const RELEASE_WITHIN_MS = 1_000;

/**
 * Acquires the lease; null while another holder has it. The lease renews itself every third of `ttlMs` (milliseconds). A
 * holder whose connection Redis no longer has is dead or cut off, so its lease is free at once: code that a lease guards
 * must tolerate two holders for a moment anyway.
 */
export async function acquireLease(
  connection: QueueConnection,
  name: string,
  ttlMs: number,
): Promise<Lease | null> {
  const key = connection.key("leases", name);
  const { redis } = connection;
  const token = `${await redis.client("ID")}/${randomUUID()}`;
  // Measured before each call: Redis starts the time to live at some moment after.
  let heldSince = performance.now();
  if ((await redis.set(key, token, "PX", ttlMs, "NX")) === null) {
    await evictDead(connection, key);
    heldSince = performance.now();
    if ((await redis.set(key, token, "PX", ttlMs, "NX")) === null) return null;
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

/** Removes a lease whose holder is not connected any more. */
async function evictDead({ redis }: QueueConnection, key: string): Promise<void> {
  const held = await redis.get(key);
  const clientId = Number(held?.split("/")[0]);
  if (held === null || !Number.isInteger(clientId)) return;
  const clients = String(await redis.call("CLIENT", "LIST", "ID", String(clientId)));
  if (clients.trim() === "") await redis.eval(RELEASE, 1, key, held);
}
