import { repack } from "@agentswarm/git";
import type { Logger } from "@agentswarm/service";

/** Keeps a repository packed while landings go on. */
export interface Upkeep extends AsyncDisposable {
  /** Says that a group was written. Returns at once: no landing ever waits for maintenance. */
  grown(): void;
}

/** Packs again after every so many groups, one run at a time. */
export function openUpkeep(options: { dir: string; everyGroups: number; log: Logger }): Upkeep {
  const { dir, everyGroups, log } = options;
  const ending = new AbortController();
  let groups = 0;
  let running: Promise<void> | null = null;
  const run = async () => {
    const from = performance.now();
    try {
      await repack(dir, ending.signal);
      log.info({ dir, tookMs: Math.round(performance.now() - from) }, "packed the repository");
    } catch (error) {
      // Slower reads are all that comes of it.
      if (!ending.signal.aborted) log.warn({ err: error, dir }, "the repository could not be packed");
    } finally {
      running = null;
    }
  };
  return {
    grown() {
      groups += 1;
      if (groups < everyGroups || running !== null) return;
      groups = 0;
      running = run();
    },
    async [Symbol.asyncDispose]() {
      ending.abort("stopping");
      await running;
    },
  };
}
