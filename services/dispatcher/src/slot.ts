import { setTimeout as sleep } from "node:timers/promises";
import { acquireSlot, releaseSlot } from "@agentswarm/queue";
import type { Workshop } from "./workshop.ts";

const NAME = "attempts";
const TTL_MS = 30_000;
const RETRY_MS = 200;

/**
 * Does something while holding one of MAX_WORKERS places that all dispatchers share. The holder is the task's
 * round, so that the round finds its own place again after a crash. Throws when aborted while waiting.
 */
export async function withSlot<T>(
  shop: Workshop,
  holder: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const slot = { limit: shop.maxWorkers, holder, ttlMs: TTL_MS };
  while (!(await acquireSlot(shop.connection, NAME, slot))) await sleep(RETRY_MS, undefined, { signal });
  const renewal = setInterval(() => {
    acquireSlot(shop.connection, NAME, slot).catch(() => undefined);
  }, TTL_MS / 3);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    // While Redis is away the place frees itself; what the work gave must not be lost over it.
    await releaseSlot(shop.connection, NAME, holder).catch(() => undefined);
  }
}
