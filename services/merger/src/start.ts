import { join } from "node:path";
import { openDependencyCache, openPackageFacts } from "@agentswarm/checks";
import { openLandingEngine, openStore } from "@agentswarm/git";
import { consume, openPauses } from "@agentswarm/queue";
import { cacheRemovals, removeOld, type ServiceContext } from "@agentswarm/service";
import { awaitOrigin, openRepos, openService, type RepoLocation } from "@agentswarm/wiring";
import { openProvider } from "@agentswarm/wiring/provider";
import { LARGEST_BATCH_SIZE } from "./batch.ts";
import type { Settings } from "./config.ts";
import type { LandingContext } from "./context.ts";
import { openGate } from "./gate.ts";
import { handleMerge } from "./handle-merge.ts";
import { openLandedIndex } from "./landed-index.ts";
import { holdLease } from "./lease.ts";
import { openMergeQueue } from "./queue.ts";
import { runQueue } from "./run-queue.ts";
import { openSecretScanner } from "./secrets/open-secret-scanner.ts";
import { openUpkeep } from "./upkeep.ts";

/** Wires the merger: one merge queue per repository, run only while this process holds the repository's lease. */
export async function start(context: ServiceContext<Settings>): Promise<void> {
  const { settings, env, log, stack, signal } = context;
  const home = settings.SWARM_HOME;
  const { connection, sender } = await openService(context, "merger");

  const scanner = stack.use(openSecretScanner());
  const packages = stack.use(openPackageFacts({ env }));
  const bundlesDir = join(home, "bundles");
  // Before the wait for the lease: the sandboxes of the process that was killed before this one end at once.
  const provider = await openProvider(context);

  const openRepo = async (location: RepoLocation) => {
    const { repoId } = location;
    const lease = stack.use(await holdLease(connection, repoId, log, signal));
    const recover = (locks: readonly string[]) =>
      log.warn({ locks }, "removed locks that a killed git left behind");
    const mirror = stack.use(await awaitOrigin(context, connection, location, { begins: true, recover }));
    const { dir } = mirror;
    const engine = stack.use(openLandingEngine({ dir, strategy: settings.MERGE_STRATEGY }));
    const dependencies = openDependencyCache({ home, provider, swarm: settings.QUEUE_PREFIX, env, log });
    stack.use(removeOld(cacheRemovals(settings, bundlesDir, dependencies), log));
    const gate = openGate({
      repoId,
      mirror,
      engine,
      provider,
      dependencies,
      sender,
      log,
      bundlesDir,
      swarm: settings.QUEUE_PREFIX,
    });
    const landing: LandingContext = {
      repoId,
      connection,
      sender,
      log,
      lease,
      mirror,
      store: await openStore({ dir: location.storeDir }),
      engine,
      landed: openLandedIndex(mirror),
      scanner,
      packages,
      landing: settings.LANDING,
      gate: settings.LANDING_GATE === "on" ? gate : null,
      pauses: openPauses(connection),
      upkeep: stack.use(openUpkeep({ dir, everyBatches: settings.REPACK_AFTER, log })),
      nudgeAfter: settings.NUDGE_AFTER,
      signal,
    };
    return { landing, queue: openMergeQueue(signal) };
  };
  const repos = await openRepos(settings, "merger", openRepo);
  for (const { landing, queue } of repos.all) void runQueue(landing, queue);

  const ctx = { sender, log, repo: repos.repo };
  stack.use(
    await consume(connection, "merge", (request, job) => handleMerge(ctx, request, job), {
      concurrency: LARGEST_BATCH_SIZE,
      waitsFirst: true,
      onError: (error) => log.error({ err: error }, "merge job failed"),
    }),
  );
  const trunks = repos.all.map(({ landing: { mirror } }) => ({ trunk: mirror.trunk, at: mirror.dir }));
  const { MERGE_STRATEGY: strategy, LANDING_GATE: gate, LANDING: landing } = settings;
  log.info({ strategy, gate, landing, trunks }, "merger ready");
}
