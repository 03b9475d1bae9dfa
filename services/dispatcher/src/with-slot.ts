import { setTimeout as sleep } from "node:timers/promises";
import { acquireSlot, releaseSlot } from "@agentswarm/queue";
import type { DispatcherContext } from "./context.ts";

const NAME = "attempts";
const TTL_MS = 30_000;
const RETRY_MS = 200;

/**
 * Does something while holding one of the MAX_WORKERS slots that all dispatchers share. The holder is the task's round,
 * so that after a crash the round gets its own slot again. Throws when aborted while it waits.
 */
export async function withSlot<T>(
  { connection, maxWorkers }: Pick<DispatcherContext, "connection" | "maxWorkers">,
  holder: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const slot = { limit: maxWorkers, holder, ttlMs: TTL_MS };
  while (!(await acquireSlot(connection, NAME, slot))) await sleep(RETRY_MS, undefined, { signal });
  const renewal = setInterval(() => {
    acquireSlot(connection, NAME, slot).catch(() => undefined);
  }, TTL_MS / 3);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    // While Redis does not answer the slot expires by itself; the result of the work must not be lost over it.
    await releaseSlot(connection, NAME, holder).catch(() => undefined);
  }
}
