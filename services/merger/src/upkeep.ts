import { setTimeout as sleep } from "node:timers/promises";
import { packDaily, repack } from "@agentswarm/git";
import type { Logger } from "@agentswarm/service";

/** Keeps the trunk's repository packed. */
export interface Upkeep extends AsyncDisposable {
  /** Counts a published batch. Returns at once: no landing waits for a repack. */
  batchPublished(): void;
  /**
   * Once a day, removes the objects that no ref has held for two weeks, when nothing has come for a minute. To be called
   * while no batch is built or under test: a landing that is not published yet has no ref either. `changed` resolves when
   * an entry comes; it waits if the removal has begun.
   */
  idle(changed: Promise<void>): Promise<void>;
}

const QUIET_MS = 60_000;

/** Repacks after every `everyBatches` batches, one run at a time. */
export function openUpkeep(options: {
  dir: string;
  everyBatches: number;
  log: Pick<Logger, "info" | "warn">;
  quietMs?: number;
}): Upkeep {
  const { dir, everyBatches, log, quietMs = QUIET_MS } = options;
  const stopping = new AbortController();
  let batches = 0;
  let running: Promise<void> | null = null;
  const run = async (pack: () => Promise<boolean>) => {
    const from = performance.now();
    try {
      if (await pack())
        log.info({ dir, tookMs: Math.round(performance.now() - from) }, "repository repacked");
    } catch (error) {
      // A failed repack only makes reads slower.
      if (!stopping.signal.aborted) log.warn({ err: error, dir }, "repack failed; reads may be slower");
    } finally {
      running = null;
    }
  };
  return {
    batchPublished() {
      batches += 1;
      if (batches < everyBatches || running !== null) return;
      batches = 0;
      running = run(async () => {
        await repack(dir, stopping.signal);
        return true;
      });
    },
    async idle(changed) {
      const busy = new AbortController();
      const signal = AbortSignal.any([busy.signal, stopping.signal]);
      const quiet = sleep(quietMs, true, { signal }).catch(() => false);
      const isQuiet = await Promise.race([quiet, changed.then(() => false)]);
      busy.abort();
      if (!isQuiet) return;
      await running;
      running = run(() => packDaily(dir, stopping.signal));
      await running;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort("stopping");
      await running;
    },
  };
}
