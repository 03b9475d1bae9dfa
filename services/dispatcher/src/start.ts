import { join } from "node:path";
import { DOOR } from "@agentswarm/contracts";
import { openDependencyCache } from "@agentswarm/checks";
import { openStore } from "@agentswarm/git";
import { needsSample, openRecorder, openRouter } from "@agentswarm/llm";
import { consume, openBackendOutages, openBudgets, openPauses, openTrunkStates } from "@agentswarm/queue";
import type { SandboxProvider } from "@agentswarm/sandbox";
import { removeOld, type Logger, type ServiceContext } from "@agentswarm/service";
import { awaitOrigin, openRepos, openService } from "@agentswarm/wiring";
import { openProvider } from "@agentswarm/wiring/provider";
import { mountAgentFile } from "./agent-file.ts";
import { SANDBOX_GRACE_MS } from "./authorize-attempt.ts";
import { openBase } from "./base.ts";
import type { Settings } from "./config.ts";
import type { DispatcherContext, DispatcherRepo } from "./context.ts";
import { dispatch } from "./dispatch.ts";
import { openFinishedWork } from "./finished-work.ts";
import { openDoorMemory } from "./door-memory.ts";
import { createGateway } from "./gateway/gateway.ts";
import { openPool } from "./pool.ts";
import { dispatcherRemovals } from "./removals.ts";
import { reportBackend } from "./report-backend.ts";
import { openRounds } from "./rounds.ts";
import { readRuntime } from "./runtime/read-runtime.ts";

/** Wires the dispatcher: it takes tasks, runs an agent in a sandbox for each, and passes on the result. */
export async function start(context: ServiceContext<Settings>): Promise<void> {
  const { settings, env, log, stack } = context;
  const home = settings.SWARM_HOME;
  const bundlesDir = join(home, "bundles");
  const wallMs = settings.WORKER_TIMEOUT * 1_000;
  const { connection, sender } = await openService(context, "dispatcher");
  const provider = await openProvider(context);
  warnOfMissingLimits(provider, log);

  const { runtime, mounts } = await readRuntime(settings);
  const agent = [...mounts, mountAgentFile(settings.AGENT_FILE ?? join(home, "agent", "agent.mjs"))];
  const dependencies = openDependencyCache({ home, provider, swarm: settings.QUEUE_PREFIX, env, log });
  const recover = (locks: readonly string[]) =>
    log.warn({ locks }, "removed locks that a killed git left behind");
  const repos = await openRepos(settings, "dispatcher", async (location): Promise<DispatcherRepo> => {
    const mirror = stack.use(
      await awaitOrigin(context, connection, location, { recover, sampleOnly: needsSample(settings) }),
    );
    const store = await openStore({ dir: location.storeDir });
    const finished = openFinishedWork(store);
    return { mirror, store, finished, base: openBase({ mirror, dependencies, agent, bundlesDir }) };
  });
  const outages = openBackendOutages(connection);
  await outages.forgetAll();
  const router = openRouter(settings, env, (change) => reportBackend({ sender, log, outages }, change));
  const ctx: DispatcherContext = {
    connection,
    sender,
    budgets: stack.use(openBudgets(connection, settings)),
    trunkStates: openTrunkStates(connection),
    pauses: openPauses(connection),
    log,
    repo: repos.repo,
    provider,
    pool: stack.use(
      openPool({
        provider,
        size: settings.WARM_POOL ?? defaultPoolSize(provider, settings.MAX_WORKERS),
        swarm: settings.QUEUE_PREFIX,
        wallMs: wallMs + SANDBOX_GRACE_MS,
        log,
      }),
    ),
    gateway: createGateway(router, {
      model: router.model,
      maxTokens: settings.LLM_MAX_TOKENS,
      log,
      recorder: settings.RECORD === undefined ? undefined : openRecorder(settings.RECORD),
    }),
    outage: (role) => router.outage(role),
    memory: openDoorMemory({ bytes: doorBytes(settings), doors: settings.MAX_WORKERS }),
    rounds: openRounds(connection),
    model: router.model,
    maxTokens: settings.LLM_MAX_TOKENS,
    temperature: settings.LLM_TEMPERATURE,
    runtime,
    questionWaitMs: settings.QUESTION_WAIT * 1_000,
    bundlesDir,
    transcriptsDir: join(home, "artifacts", "transcripts"),
    swarm: settings.QUEUE_PREFIX,
    maxWorkers: settings.MAX_WORKERS,
    wallMs,
  };
  const removals = dispatcherRemovals({
    ...ctx,
    settings,
    dependencies,
    finished: repos.all.map((repo) => repo.finished),
    stores: repos.all.map(({ store }) => store),
    mirrorDirs: repos.all.flatMap(({ mirror }) => (mirror.isCopy ? [mirror.dir] : [])),
  });
  stack.use(removeOld(removals, log));
  stack.use(
    await consume(connection, "task", (message, job) => dispatch(ctx, message, job), {
      concurrency: settings.MAX_WORKERS,
      // What stops one task, such as a full disk or a trunk that cannot be read, stops the others too.
      pauseAfterFaults: Math.max(20, settings.MAX_WORKERS * 4),
      onError: (error) => log.error({ err: error }, "task job failed"),
    }),
  );
  fillPool(ctx, repos.all);
  log.info(
    { maxWorkers: settings.MAX_WORKERS, isolation: provider.isolation, model: router.model },
    "dispatcher ready",
  );
}

function warnOfMissingLimits({ isolation, unenforced }: SandboxProvider, log: Logger): void {
  if (isolation === "none") {
    log.warn(
      "agents run WITHOUT isolation: they can do whatever this user can do (install bubblewrap to change that)",
    );
  }
  if (unenforced.length > 0) log.warn({ limits: unenforced }, "limits this machine cannot enforce");
}

/** Enough that the longest body fits into the share of each door. */
function doorBytes({ DOOR_MEMORY_BYTES, MAX_WORKERS }: Settings): number {
  return DOOR_MEMORY_BYTES ?? 2 * DOOR.chatCompletions.body.maxBytes * MAX_WORKERS;
}

/** How many agents wait for a task when WARM_POOL is not set. */
function defaultPoolSize({ chargesWhileIdle }: SandboxProvider, maxWorkers: number): number {
  return chargesWhileIdle ? 0 : Math.min(maxWorkers, 4);
}

/** Starts agents ahead of the first task, in the background: the target's dependencies may take minutes to install. */
function fillPool({ pool, log }: DispatcherContext, repos: readonly DispatcherRepo[]): void {
  for (const repo of repos) {
    repo.base().then(
      (base) => pool.fill(base.mounts),
      (error: unknown) => log.warn({ err: error }, "no agent waits yet: the target cannot be read"),
    );
  }
}
