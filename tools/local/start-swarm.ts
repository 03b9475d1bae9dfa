import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildAgent } from "@agentswarm/agent";
import { originAddress, refuseUnlessSample } from "@agentswarm/git";
import {
  configuresModel,
  modelSettings,
  refuseHalfAModel,
  refuseUnpricedCaps,
  resolveBackends,
} from "@agentswarm/llm";
import { z } from "zod";
import { parseEnv, type Environment } from "@agentswarm/service";
import { localSettings } from "./config.ts";
import { freePort } from "./free-port.ts";
import { lockHome } from "./home-lock.ts";
import { openLogs } from "./logs.ts";
import { seedOrigin } from "./origin.ts";
import { redisProgram, replayProgram, SERVICES, serviceProgram, type ServiceName } from "./programs.ts";
import { openRedisPasswords, redisAcl, redisUrlFor, type RedisUser } from "./redis-users.ts";
import { machineEnvironment, serviceEnvironment } from "./service-environment.ts";
import { supervise, type Supervised } from "./supervise.ts";
import { answersPing, waitFor } from "./wait-for.ts";

export interface LocalSwarmOptions {
  /** SWARM_HOME, absolute. */
  readonly home: string;
  /** Settings by their documented names; a setting that is not set has its default. Each service gets its own. */
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
  /** With the user `operator`. */
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
  const machine = machineEnvironment(env);
  refuseHalfAModel(env);
  if (configuresModel(env))
    refuseUnpricedCaps(resolveBackends(parseEnv(z.object(modelSettings), env), env), settings);
  let redisUrlOf = (_user: RedisUser) => settings.REDIS_URL ?? "";
  if (settings.REDIS_URL === undefined) {
    const port = await freePort();
    const dir = join(home, "redis");
    const passwords = await openRedisPasswords(dir);
    const acl = join(dir, "users.acl");
    await writeFile(acl, redisAcl(settings.QUEUE_PREFIX, passwords), { mode: 0o600 });
    run(redisProgram(settings.SWARM_REDIS_SERVER, { port, dir, acl }, machine, logs.of("redis")));
    await waitFor("Redis", READY_WITHIN_MS, () => answersPing(port));
    redisUrlOf = (user) => redisUrlFor(user, passwords[user], `127.0.0.1:${port}`);
  }
  const origin = settings.GIT_REPO_URL ?? (await seedOrigin(settings.TARGET_REPO_PATH, home));
  env["GIT_REPO_URL"] = origin;
  env["AGENT_FILE"] = await buildAgent(join(home, "agent", "agent.mjs"));

  const recorded = !configuresModel(env);
  if (recorded) {
    if (settings.RECORDED_TARGET === "sample")
      await refuseUnlessSample(home, originAddress(origin, settings.GIT_READ_CREDENTIAL));
    const port = await freePort();
    run(replayProgram(options.scenarioDir, port, machine, logs.of("replay")));
    const url = `http://127.0.0.1:${port}/v1`;
    Object.assign(env, { RECORDED_MODEL_URL: url, MODEL_RECORDED: "true" });
    await waitFor("the recorded model", READY_WITHIN_MS, () => answers(`${url}/models`));
  }

  const apiUrl = `http://127.0.0.1:${settings.API_PORT}`;
  const environmentOf = (name: ServiceName) =>
    serviceEnvironment(name, { ...env, REDIS_URL: redisUrlOf(name) });
  for (const name of SERVICES) run(serviceProgram(name, environmentOf(name), logs.of(name)));
  await waitFor(`the api at ${apiUrl}`, READY_WITHIN_MS, () => answers(`${apiUrl}/readyz`));

  const disposal = undo.move();
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= disposal.disposeAsync());
  return {
    home,
    apiUrl,
    redisUrl: redisUrlOf("operator"),
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
