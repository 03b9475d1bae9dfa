import { repack } from "@agentswarm/git";
import type { Logger } from "@agentswarm/service";

/** Packs the repository again and again while batches are published. */
export interface Upkeep extends AsyncDisposable {
  /** Counts a published batch. Returns at once: no landing waits for a repack. */
  batchPublished(): void;
}

/** Repacks after every `everyBatches` batches, one run at a time. */
export function openUpkeep(options: { dir: string; everyBatches: number; log: Logger }): Upkeep {
  const { dir, everyBatches, log } = options;
  const stopping = new AbortController();
  let batches = 0;
  let running: Promise<void> | null = null;
  const run = async () => {
    const from = performance.now();
    try {
      await repack(dir, stopping.signal);
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
      running = run();
    },
    async [Symbol.asyncDispose]() {
      stopping.abort("stopping");
      await running;
    },
  };
}
