import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buildAgent } from "@agentswarm/agent";
import { parseEnv, type Environment } from "@agentswarm/service";
import { configuresModel, localSettings } from "./config.ts";
import { freePort } from "./free-port.ts";
import { lockHome } from "./home-lock.ts";
import { openLogs } from "./logs.ts";
import { seedOrigin } from "./origin.ts";
import { redisProgram, replayProgram, SERVICES, serviceProgram } from "./programs.ts";
import { supervise, type Supervised } from "./supervise.ts";
import { answersPing, waitFor } from "./wait-for.ts";

export interface LocalSwarmOptions {
  /** SWARM_HOME, absolute. */
  readonly home: string;
  /** Settings by their documented names; a setting that is not set has its default. Services get all of them. */
  readonly env: Environment;
  /** The recorded model's scenario, played when `env` configures no model. */
  readonly scenarioDir: string;
  readonly say: (line: string) => void;
  /** Receives the output of every process; it is written to SWARM_HOME/logs in any case. */
  readonly onOutput?: (name: string, chunk: Buffer) => void;
}

export interface LocalSwarm extends AsyncDisposable {
  readonly home: string;
  readonly apiUrl: string;
  readonly redisUrl: string;
  /** The repository that the swarm lands on. */
  readonly origin: string;
  /** Whether the model is the recorded one. */
  readonly recorded: boolean;
  readonly processes: ReadonlyMap<string, Supervised>;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const GRACE_MS = 15_000;

/** Starts Redis, the model, the origin and the five services, and keeps them running until `stop`. */
export async function startSwarm(options: LocalSwarmOptions): Promise<LocalSwarm> {
  const { home, say } = options;
  await using undo = new AsyncDisposableStack();
  const unlock = await lockHome(home);
  undo.defer(unlock);
  const logs = openLogs(join(home, "logs"), options.onOutput);
  undo.defer(() => logs.close());

  const processes = new Map<string, Supervised>();
  const run = (program: Parameters<typeof supervise>[0]) => {
    const supervised = supervise(program, say);
    processes.set(program.name, supervised);
    undo.defer(() => supervised.stop(GRACE_MS));
  };

  const settings = parseEnv(localSettings, options.env);
  const env: NodeJS.ProcessEnv = { ...options.env, SWARM_HOME: home, API_PORT: settings.API_PORT };
  let redisUrl = settings.REDIS_URL;
  if (redisUrl === undefined) {
    const port = await freePort();
    const dir = join(home, "redis");
    await mkdir(dir, { recursive: true });
    run(redisProgram(settings.SWARM_REDIS_SERVER, port, dir, env, logs.of("redis")));
    await waitFor("Redis", READY_WITHIN_MS, () => answersPing(port));
    redisUrl = `redis://127.0.0.1:${port}`;
  }
  const origin = settings.GIT_REPO_URL ?? (await seedOrigin(settings.TARGET_REPO_PATH, home));
  Object.assign(env, { REDIS_URL: redisUrl, GIT_REPO_URL: origin });
  env["AGENT_FILE"] = await buildAgent(join(home, "agent", "agent.mjs"));

  const recorded = !configuresModel(env);
  if (recorded) {
    const port = await freePort();
    run(replayProgram(options.scenarioDir, port, env, logs.of("replay")));
    const url = `http://127.0.0.1:${port}/v1`;
    Object.assign(env, { RECORDED_MODEL_URL: url, MODEL_RECORDED: "true" });
    await waitFor("the recorded model", READY_WITHIN_MS, () => answers(`${url}/models`));
  }

  const apiUrl = `http://127.0.0.1:${settings.API_PORT}`;
  for (const name of SERVICES) run(serviceProgram(name, env, logs.of(name)));
  await waitFor(`the api at ${apiUrl}`, READY_WITHIN_MS, () => answers(`${apiUrl}/readyz`));

  const disposal = undo.move();
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= disposal.disposeAsync());
  return {
    home,
    apiUrl,
    redisUrl,
    origin,
    recorded,
    processes,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
  await response?.body?.cancel();
  return response?.ok ?? false;
}
