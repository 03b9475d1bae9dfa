import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDependencyCache } from "@agentswarm/checks";
import { repoScoped, trunkHealthId } from "@agentswarm/contracts";
import { mirrorRemovals } from "@agentswarm/git";
import { createModel, needsSample, openRecorder, openRouter, paidFrom } from "@agentswarm/llm";
import { consume, openBudgets, openTrunkStates } from "@agentswarm/queue";
import { cacheRemovals, removeOld, type ServiceContext } from "@agentswarm/service";
import { awaitOrigin, openRepos, openService } from "@agentswarm/wiring";
import { openProvider } from "@agentswarm/wiring/provider";
import { openCheckRecords } from "./check-records.ts";
import type { Settings } from "./config.ts";
import type { SweepContext } from "./context.ts";
import { handleSweep } from "./handle-sweep.ts";
import { reportUsage } from "./report-usage.ts";
import { watchHeldTrunk } from "./watch-held-trunk.ts";

const PROMPTS = fileURLToPath(new URL("../../../prompts", import.meta.url));

/** Wires the reconciler: one sweep at a time, by a timer and on request. */
export async function start(context: ServiceContext<Settings>): Promise<void> {
  const { settings, env, log, stack } = context;
  const home = settings.SWARM_HOME;
  const { connection, sender } = await openService(context, "reconciler");
  const provider = await openProvider(context);
  const model = createModel(openRouter(settings, env), {
    maxTokens: settings.LLM_MAX_TOKENS,
    temperature: settings.LLM_TEMPERATURE,
    recorder: settings.RECORD === undefined ? undefined : openRecorder(settings.RECORD),
  });
  const budgets = stack.use(openBudgets(connection, settings));
  const bundlesDir = join(home, "bundles");
  const dependencies = openDependencyCache({ home, provider, swarm: settings.QUEUE_PREFIX, env, log });
  const shared = {
    connection,
    sender,
    log,
    provider,
    dependencies,
    promptsDir: PROMPTS,
    bundlesDir,
    swarm: settings.QUEUE_PREFIX,
  };
  const trunkStates = openTrunkStates(connection);
  const { repo, all } = await openRepos(settings, "reconciler", async (location): Promise<SweepContext> => {
    const { repoId } = location;
    return {
      ...shared,
      repoId,
      mirror: stack.use(
        await awaitOrigin(context, connection, location, { sampleOnly: needsSample(settings) }),
      ),
      records: openCheckRecords(connection, repoId),
      trunkStates,
      redTrunk: settings.RED_TRUNK,
      model: paidFrom(budgets.of({ featureId: trunkHealthId(repoId) }), model, {
        maxTokens: settings.LLM_MAX_TOKENS,
        onUse: (usage) => reportUsage({ connection, sender, model: model.name, repoId }, usage),
      }),
    };
  });
  const ctx = { connection, sender, log, repo };
  const copies = all.flatMap(({ mirror }) => (mirror.isCopy ? [mirror.dir] : []));
  const removals = [...cacheRemovals(settings, bundlesDir, dependencies), ...mirrorRemovals(copies)];
  stack.use(removeOld(removals, log));

  for (const one of all) {
    const { repoId } = one;
    stack.use(watchHeldTrunk(ctx, one));
    const name = repoScoped("reconcile", repoId);
    await sender.schedule("sweep", name, settings.RECONCILE_INTERVAL * 1_000, { why: "schedule", repoId });
  }
  stack.use(
    await consume(connection, "sweep", (request, job) => handleSweep(ctx, request, job), {
      concurrency: 1,
      onError: (error) => log.error({ err: error }, "sweep job failed"),
    }),
  );
  log.info({ everySeconds: settings.RECONCILE_INTERVAL, isolation: provider.isolation }, "reconciler ready");
}
