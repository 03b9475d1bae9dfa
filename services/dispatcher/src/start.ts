import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import { openDependencyCache } from "@agentswarm/checks";
import { openOrigin, openStore } from "@agentswarm/git";
import { openRecorder, openRouter } from "@agentswarm/llm";
import { consume, openBudgets } from "@agentswarm/queue";
import type { SandboxProvider } from "@agentswarm/sandbox";
import type { ServiceContext } from "@agentswarm/service";
import { openService } from "@agentswarm/wiring";
import { openProvider } from "@agentswarm/wiring/provider";
import { BACKSTOP_MS } from "./attempt.ts";
import type { Settings } from "./config.ts";
import { dispatch } from "./dispatch.ts";
import { createGateway } from "./gateway/gateway.ts";
import { openPool } from "./pool.ts";
import { keepSmall } from "./reap.ts";
import { openGround } from "./ground.ts";
import { openRounds } from "./rounds.ts";
import { readRuntime } from "./runtime/read-runtime.ts";
import { AGENT_AT } from "./start-agent.ts";
import { tellBackend } from "./tell-backend.ts";
import type { Workshop } from "./workshop.ts";

/** How many agents wait for a task unless WARM_POOL says. */
function defaultPool({ chargesWhileIdle }: SandboxProvider, maxWorkers: number): number {
  return chargesWhileIdle ? 0 : Math.min(maxWorkers, 4);
}

/** Wires the dispatcher: takes tasks, runs an agent for each in a sandbox, and passes on what came of it. */
export async function start(context: ServiceContext<Settings>): Promise<void> {
  const { settings, env, log, stack } = context;
  const home = settings.SWARM_HOME;
  const swarm = settings.QUEUE_PREFIX;
  const { connection, sender } = await openService(context, "dispatcher");
  const provider = await openProvider(context);
  if (provider.isolation === "none") {
    log.warn(
      "agents run WITHOUT isolation: they can do whatever this user can do (install bubblewrap to change that)",
    );
  }
  if (provider.unenforced.length > 0)
    log.warn({ limits: provider.unenforced }, "limits this machine cannot enforce");

  const mirror = stack.use(
    await openOrigin({
      url: settings.GIT_REPO_URL,
      trunk: settings.TRUNK,
      mirrorDir: join(home, "mirrors", "dispatcher"),
    }),
  );
  const store = await openStore({ dir: settings.SWARM_STORE_URL ?? join(home, "store.git") });
  const router = openRouter(settings, env, (change) => tellBackend(sender, log, change));
  const agentFile = settings.AGENT_FILE ?? join(home, "agent", "agent.mjs");
  if (!existsSync(agentFile)) throw new Fault("config.invalid", `AGENT_FILE: there is no ${agentFile}`);
  const runtime = await readRuntime(settings);
  const agent = [...runtime.mounts, { from: agentFile, at: AGENT_AT, key: keyOf(agentFile) }];
  const rounds = openRounds(connection);
  const bundlesDir = join(home, "bundles");
  const wallMs = settings.WORKER_TIMEOUT * 1_000;
  const pool = stack.use(
    openPool({
      provider,
      size: settings.WARM_POOL ?? defaultPool(provider, settings.MAX_WORKERS),
      swarm,
      wallMs: wallMs + BACKSTOP_MS,
      log,
    }),
  );
  const shop: Workshop = {
    connection,
    sender,
    budgets: stack.use(openBudgets(connection, settings)),
    log,
    mirror,
    store,
    provider,
    pool,
    ground: openGround({ mirror, dependencies: openDependencyCache({ home }), agent, bundlesDir }),
    gateway: createGateway(router, {
      model: router.model,
      maxTokens: settings.LLM_MAX_TOKENS,
      log,
      recorder: settings.RECORD === undefined ? undefined : openRecorder(settings.RECORD),
    }),
    rounds,
    model: router.model,
    maxTokens: settings.LLM_MAX_TOKENS,
    temperature: settings.LLM_TEMPERATURE,
    runtime: runtime.runtime,
    bundlesDir,
    transcriptsDir: join(home, "artifacts", "transcripts"),
    swarm,
    maxWorkers: settings.MAX_WORKERS,
    wallMs,
  };
  stack.use(keepSmall({ provider, store, rounds, bundlesDir, now: () => connection.now(), log }));
  stack.use(
    await consume(connection, "task", (message, context) => dispatch(shop, message, context), {
      concurrency: settings.MAX_WORKERS,
      onError: (error) => log.error({ err: error }, "a task could not be dispatched"),
    }),
  );
  // The first attempt need not wait for an agent either, if it takes its time to come.
  shop.ground().then(
    (ground) => pool.fill(ground.mounts),
    (error: unknown) => log.warn({ err: error }, "no agent waits yet: the target could not be read"),
  );
  log.info(
    { maxWorkers: settings.MAX_WORKERS, isolation: provider.isolation, model: router.model },
    "taking tasks",
  );
}

/** Names the agent file's content. */
function keyOf(agentFile: string): string {
  return `agent-${createHash("sha256").update(readFileSync(agentFile)).digest("hex").slice(0, 24)}`;
}
