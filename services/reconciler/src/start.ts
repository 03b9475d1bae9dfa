import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openBrokerProvider } from "@agentswarm/broker";
import { openDependencyCache } from "@agentswarm/checks";
import { DEFAULT_REPO, TRUNK_HEALTH } from "@agentswarm/contracts";
import { openOrigin } from "@agentswarm/git";
import { createModel, openRecorder, openRouter, paidFrom } from "@agentswarm/llm";
import { consume, createSender, openBudgets, openQueue } from "@agentswarm/queue";
import { openSandboxProvider, reapOrphans } from "@agentswarm/sandbox";
import type { ServiceContext } from "@agentswarm/service";
import { openCheckRecords } from "./check-records.ts";
import type { Settings } from "./config.ts";
import type { ReconcilerContext } from "./context.ts";
import { handleSweep } from "./handle-sweep.ts";
import { reportUsage } from "./report-usage.ts";

const PROMPTS = fileURLToPath(new URL("../../../prompts", import.meta.url));

/** Wires the reconciler: one sweep at a time, by a timer and on request. */
export async function start({ settings, env, log, stack }: ServiceContext<Settings>): Promise<void> {
  const home = settings.SWARM_HOME;
  const connection = stack.use(
    await openQueue({
      redisUrl: settings.REDIS_URL,
      prefix: settings.QUEUE_PREFIX,
      service: "reconciler",
      onError: (error) => log.warn({ err: error }, "Redis command failed; retrying"),
    }),
  );
  const sender = createSender(connection, "reconciler");
  const mirror = stack.use(
    await openOrigin({
      url: settings.GIT_REPO_URL,
      trunk: settings.TRUNK,
      mirrorDir: join(home, "mirrors", "reconciler"),
    }),
  );
  const swarm = settings.QUEUE_PREFIX;
  const provider = await openSandboxProvider({ home, swarm, settings, openBroker: openBrokerProvider });
  await reapOrphans(provider, (sandbox) => log.info({ sandbox }, "killing a leftover sandbox"));
  const model = createModel(openRouter(settings, env), {
    maxTokens: settings.LLM_MAX_TOKENS,
    temperature: settings.LLM_TEMPERATURE,
    recorder: settings.RECORD === undefined ? undefined : openRecorder(settings.RECORD),
  });
  const budgets = stack.use(openBudgets(connection, settings));
  const ctx: ReconcilerContext = {
    connection,
    sender,
    log,
    mirror,
    records: openCheckRecords(connection),
    provider,
    dependencies: openDependencyCache({ home }),
    model: paidFrom(budgets.of({ featureId: TRUNK_HEALTH }), model, {
      maxTokens: settings.LLM_MAX_TOKENS,
      onUse: (usage) => reportUsage({ connection, sender, model: model.name }, usage),
    }),
    promptsDir: PROMPTS,
    bundlesDir: join(home, "bundles"),
    swarm,
  };

  await sender.schedule("sweep", "reconcile", settings.RECONCILE_INTERVAL * 1_000, {
    why: "schedule",
    repoId: DEFAULT_REPO,
  });
  stack.use(
    await consume(connection, "sweep", (request, job) => handleSweep(ctx, request, job), {
      concurrency: 1,
      onError: (error) => log.error({ err: error }, "sweep job failed"),
    }),
  );
  log.info({ everySeconds: settings.RECONCILE_INTERVAL, isolation: provider.isolation }, "reconciler ready");
}
