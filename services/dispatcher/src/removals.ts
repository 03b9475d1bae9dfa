import type { DependencyCache } from "@agentswarm/checks";
import { mirrorRemovals, removeQuarantines, type Store } from "@agentswarm/git";
import type { QueueConnection } from "@agentswarm/queue";
import { reapOrphans, type SandboxProvider } from "@agentswarm/sandbox";
import { cacheRemovals, removeOldFiles, type Logger, type Removal } from "@agentswarm/service";
import type { Settings } from "./config.ts";
import type { FinishedWork } from "./finished-work.ts";
import { storeRemovals } from "./remove-attempts.ts";
import type { Rounds } from "./rounds.ts";

const DAY_MS = 24 * 3_600_000;

/** Everything that a dispatcher keeps for a time, and its removal. */
export function dispatcherRemovals(options: {
  readonly settings: Settings;
  readonly connection: QueueConnection;
  readonly provider: SandboxProvider;
  readonly dependencies: DependencyCache;
  readonly stores: readonly Store[];
  readonly finished: readonly FinishedWork[];
  /** The folders of its own mirrors. */
  readonly mirrorDirs: readonly string[];
  readonly rounds: Rounds;
  readonly bundlesDir: string;
  readonly transcriptsDir: string;
  readonly log: Logger;
}): Removal[] {
  const { settings, provider, stores, transcriptsDir, log } = options;
  const { ATTEMPT_DAYS: attemptDays, TRANSCRIPT_DAYS: transcriptDays } = settings;
  const onReap = (sandbox: object) => log.info({ sandbox }, "killing a leftover sandbox");
  return [
    { name: "sandboxes", remove: () => reapOrphans(provider, onReap) },
    {
      name: "quarantines",
      remove: async () => sum(await Promise.all(stores.map(removeQuarantines))),
    },
    {
      name: "finished work",
      async remove() {
        const before = Date.now() - attemptDays * DAY_MS;
        return sum(await Promise.all(options.finished.map((one) => one.removeOlder(before))));
      },
    },
    {
      name: "transcripts",
      remove: () => removeOldFiles(transcriptsDir, Date.now() - transcriptDays * DAY_MS),
    },
    ...cacheRemovals(settings, options.bundlesDir, options.dependencies),
    ...mirrorRemovals(options.mirrorDirs),
    ...storeRemovals({ ...options, attemptDays }),
  ];
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
