import type { Logger } from "./logger.ts";

/** One kind of thing that a service keeps for a time. The names are those of docs/operations.md. */
export interface Removal {
  readonly name: string;
  /** Removes what is too old, and returns how many things it removed. */
  remove(signal: AbortSignal): Promise<number>;
}

const HOUR_MS = 3_600_000;
/** A service that just started has more urgent work. */
const FIRST_AFTER_MS = 60_000;

/**
 * Runs removals one after the other, a minute from now and then every hour. A removal that fails is logged, and is tried
 * again an hour later; the others go on.
 */
export function removeOld(
  removals: readonly Removal[],
  log: Pick<Logger, "info" | "error">,
  { firstAfterMs = FIRST_AFTER_MS, everyMs = HOUR_MS } = {},
): AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> = Promise.resolve();
  const removeAll = async () => {
    for (const { name, remove } of removals) {
      if (signal.aborted) return;
      try {
        const removed = await remove(signal);
        if (removed > 0) log.info({ removal: name, removed }, "removed what was kept for its time");
      } catch (error) {
        if (!signal.aborted) log.error({ removal: name, err: error }, "old things could not be removed");
      }
    }
  };
  let timer: NodeJS.Timeout;
  const waitAndRemove = (delayMs: number) => {
    timer = setTimeout(() => {
      running = removeAll().then(() => {
        if (!signal.aborted) waitAndRemove(everyMs);
      });
    }, delayMs);
  };
  waitAndRemove(firstAfterMs);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort("stopping");
      clearTimeout(timer);
      await running;
    },
  };
}
