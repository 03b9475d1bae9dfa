import { setTimeout as sleep } from "node:timers/promises";
import { acquireSlot } from "@agentswarm/queue";
import type { DispatcherContext } from "./context.ts";

const NAME = "attempts";
const TTL_MS = 30_000;
const RETRY_MS = 200;

/**
 * Does something while holding one of the MAX_WORKERS slots that all dispatchers share. `work` is to end when its signal
 * is aborted: with the job's reason, or because the slot was lost. Throws when aborted while it waits.
 */
export async function withSlot<T>(
  { connection, maxWorkers }: Pick<DispatcherContext, "connection" | "maxWorkers">,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  /** Only tests need another value. */
  ttlMs = TTL_MS,
): Promise<T> {
  const limits = { limit: maxWorkers, ttlMs };
  let slot = await acquireSlot(connection, NAME, limits);
  while (slot === null) {
    await sleep(RETRY_MS, undefined, { signal });
    slot = await acquireSlot(connection, NAME, limits);
  }
  await using held = slot;
  // Awaited here: the slot is held until the work has ended.
  return await work(AbortSignal.any([signal, held.lost]));
}
