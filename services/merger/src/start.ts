import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openBrokerProvider } from "@agentswarm/broker";
import { openDependencyCache } from "@agentswarm/checks";
import { openLandingEngine, openOrigin, openStore } from "@agentswarm/git";
import {
  acquireLease,
  consume,
  createSender,
  openQueue,
  type Lease,
  type QueueConnection,
} from "@agentswarm/queue";
import { openSandboxProvider, reapOrphans } from "@agentswarm/sandbox";
import type { ServiceContext } from "@agentswarm/service";
import { LARGEST_BATCH_SIZE } from "./batch.ts";
import type { Settings } from "./config.ts";
import type { MergerContext } from "./context.ts";
import { openGate } from "./gate.ts";
import { handleMerge } from "./handle-merge.ts";
import { openLandedIndex } from "./landed-index.ts";
import { openMergeQueue } from "./queue.ts";
import { runQueue } from "./run-queue.ts";
import { openUpkeep } from "./upkeep.ts";

/** A dead holder loses the lease at once; this time is for a holder that is cut off from Redis or far too slow. */
const LEASE_MS = 15_000;
const LEASE_RETRY_MS = 500;

/** Wires the merger: one merge queue, run only while this process holds the repository's lease. */
export async function start({ settings, log, stack, signal }: ServiceContext<Settings>): Promise<void> {
  const home = settings.SWARM_HOME;
  const swarm = settings.QUEUE_PREFIX;
  const connection = stack.use(
    await openQueue({
      redisUrl: settings.REDIS_URL,
      prefix: settings.QUEUE_PREFIX,
      service: "merger",
      onError: (error) => log.warn({ err: error }, "Redis command failed; retrying"),
    }),
  );
  const sender = createSender(connection, "merger");
  const lease = stack.use(
    await waitForLease(connection, signal, () => log.info("another merger holds the lease; waiting")),
  );
  lease.lost.addEventListener("abort", () => {
    log.error("lease lost; stopping, so that one merger at most publishes");
    process.kill(process.pid, "SIGTERM");
  });

  const mirror = stack.use(
    await openOrigin({
      url: settings.GIT_REPO_URL,
      trunk: settings.TRUNK,
      mirrorDir: join(home, "mirrors", "merger"),
      recover: (locks) => log.warn({ locks }, "removed lock files of a killed git process"),
    }),
  );
  const engine = stack.use(openLandingEngine({ dir: mirror.dir, strategy: settings.MERGE_STRATEGY }));
  const provider = await openSandboxProvider({ home, swarm, settings, openBroker: openBrokerProvider });
  await reapOrphans(provider, (sandbox) => log.info({ sandbox }, "killing a leftover sandbox"));
  const gate = openGate({
    mirror,
    engine,
    provider,
    dependencies: openDependencyCache({ home }),
    sender,
    log,
    bundlesDir: join(home, "bundles"),
    swarm,
  });
  const ctx: MergerContext = {
    connection,
    sender,
    log,
    lease,
    mirror,
    store: await openStore({ dir: settings.SWARM_STORE_URL ?? join(home, "store.git") }),
    engine,
    landed: openLandedIndex(mirror),
    gate: settings.LANDING_GATE === "on" ? gate : null,
    upkeep: stack.use(openUpkeep({ dir: mirror.dir, everyBatches: settings.REPACK_AFTER, log })),
    nudgeAfter: settings.NUDGE_AFTER,
    signal,
  };
  const queue = openMergeQueue(signal);
  void runQueue(ctx, queue);
  stack.use(
    await consume(connection, "merge", (request, context) => handleMerge(ctx, queue, request, context), {
      concurrency: LARGEST_BATCH_SIZE,
      waitsFirst: true,
      onError: (error) => log.error({ err: error }, "merge job failed"),
    }),
  );
  log.info(
    { strategy: settings.MERGE_STRATEGY, gate: settings.LANDING_GATE, trunk: mirror.trunk, at: mirror.dir },
    "merger ready",
  );
}

async function waitForLease(
  connection: QueueConnection,
  signal: AbortSignal,
  onWait: () => void,
): Promise<Lease> {
  for (let tries = 0; ; tries += 1) {
    const lease = await acquireLease(connection, "merger", LEASE_MS);
    if (lease !== null) return lease;
    if (tries === 0) onWait();
    await sleep(LEASE_RETRY_MS, undefined, { signal });
  }
}
