import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openBrokerProvider } from "@agentswarm/broker";
import { openDependencyCache } from "@agentswarm/checks";
import { TRUNK_HEALTH } from "@agentswarm/contracts";
import { openOrigin } from "@agentswarm/git";
import { createModel, openRecorder, openRouter, paidFrom } from "@agentswarm/llm";
import { consume, createSender, openBudgets, openQueue } from "@agentswarm/queue";
import { openSandboxProvider, reapOrphans } from "@agentswarm/sandbox";
import type { ServiceContext } from "@agentswarm/service";
import type { Settings } from "./config.ts";
import { handleSweep } from "./handle-sweep.ts";
import { openVerdicts } from "./verdicts.ts";
import type { Workshop } from "./workshop.ts";

const PROMPTS = fileURLToPath(new URL("../../../prompts", import.meta.url));

/** Wires the reconciler: one sweep at a time, on a timer and whenever it is asked for. */
export async function start({ settings, env, log, stack }: ServiceContext<Settings>): Promise<void> {
  const home = settings.SWARM_HOME;
  const connection = stack.use(
    await openQueue({
      redisUrl: settings.REDIS_URL,
      prefix: settings.QUEUE_PREFIX,
      service: "reconciler",
      onError: (error) => log.warn({ err: error }, "trouble with Redis"),
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
  await reapOrphans(provider, (sandbox) => log.info({ sandbox }, "ending a sandbox left behind"));
  const model = createModel(openRouter(settings, env), {
    maxTokens: settings.LLM_MAX_TOKENS,
    temperature: settings.LLM_TEMPERATURE,
    recorder: settings.RECORD === undefined ? undefined : openRecorder(settings.RECORD),
  });
  const budgets = stack.use(openBudgets(connection, settings));
  const shop: Workshop = {
    connection,
    log,
    mirror,
    verdicts: openVerdicts(connection),
    provider,
    dependencies: openDependencyCache({ home }),
    model: paidFrom(budgets.of({ featureId: TRUNK_HEALTH }), model, {
      maxTokens: settings.LLM_MAX_TOKENS,
      onUse: async (usage) =>
        sender.event({
          id: `model-used-draft-fixes-${await connection.now()}`,
          type: "model.used",
          featureId: TRUNK_HEALTH,
          data: { role: "draft-fixes", model: model.name, ...usage },
        }),
    }),
    promptsDir: PROMPTS,
    bundlesDir: join(home, "bundles"),
    swarm,
  };

  await sender.schedule("sweep", "reconcile", settings.RECONCILE_INTERVAL * 1_000, { why: "schedule" });
  stack.use(
    await consume(
      connection,
      "sweep",
      (request, { jobId, sentAt, signal }) => handleSweep({ shop, sender, request, jobId, sentAt, signal }),
      { concurrency: 1, onError: (error) => log.error({ err: error }, "a sweep could not be made") },
    ),
  );
  log.info(
    { everySeconds: settings.RECONCILE_INTERVAL, isolation: provider.isolation },
    "watching the trunk",
  );
}
