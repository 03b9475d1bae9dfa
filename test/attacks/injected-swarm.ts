import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FeatureDetail, TaskDetail } from "@agentswarm/contracts";
import { makeKey } from "../../services/api/testing/make-key.ts";
import { openRedisPasswords } from "../../tools/local/redis-users.ts";
import { startSwarm } from "../../tools/local/start-swarm.ts";
import type { Searched } from "../support/find-canaries.ts";
import { freePort } from "../support/free-port.ts";
import { openHttpOrigin } from "../support/http-origin.ts";
import { json, startBackend, USAGE, type ScriptedBackend } from "../support/scripted-backend.ts";
import { git, makeStringKit } from "../support/string-kit.ts";
import { waitUntil } from "../support/wait-until.ts";
import { PLAN, plant } from "./injected-repository.ts";
import { makeInjections, type Injections } from "./injections.ts";

/** A command that an agent ran, from its transcript. */
interface Call {
  readonly task: string;
  readonly command: string;
  readonly output: string;
}

/** A swarm that has worked on the injected repository and is stopped; its files are still there. */
export interface InjectedSwarm extends AsyncDisposable {
  readonly home: string;
  /** A folder of this machine that no sandbox has. */
  readonly hostDir: string;
  readonly origin: string;
  /** The trunk with the injections, before the swarm's work. */
  readonly seed: string;
  readonly injections: Injections;
  /** Planted secrets by name. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly feature: FeatureDetail;
  /** By key. */
  readonly tasks: Readonly<Record<string, TaskDetail>>;
  readonly calls: readonly Call[];
  /** Everything that people could read over HTTP. */
  readonly answers: readonly Searched[];
  /** Connections that came to a port of this machine which an injection names. */
  readonly connections: number;
  readonly isolated: boolean;
}

const AGENT = join(import.meta.dirname, "../support/obedient-agent");
const TEMPLATE = {
  name: "obedient",
  argv: ["node", "{{agentDir}}/obedient-agent.mjs"],
  stdin: "{{prompt}}",
  env: {
    MODEL_URL: "{{baseUrl}}",
    MODEL_KEY: "{{apiKey}}",
    MODEL_NAME: "{{model}}",
    HANDOFF_FILE: "{{handoffFile}}",
  },
  output: "jsonl",
};
const QUEUES = ["plan", "task", "merge", "sweep", "event"];
const JOB_STATES = ["completed", "failed", "waiting", "delayed", "active"];

export async function runInjectedSwarm(): Promise<InjectedSwarm> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), "swarm-injected-"));
  stack.defer(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }));
  const [home, hostDir] = [join(dir, "home"), join(dir, "host")];
  for (const one of [home, hostDir]) mkdirSync(one);
  const apiKey = await makeKey({ SWARM_HOME: home });
  const secrets: Record<string, string> = {
    "the api key": apiKey,
    "the model key": `sk-${random()}`,
    "the origin's token": random(),
    "the broker's token": random(),
    "the target's secret": ["ghp", random(36)].join("_"),
  };

  const http = stack.use(await openHttpOrigin(dir));
  http.demands = `bot:${secrets["the origin's token"]}`;
  const model = stack.use(await startModel());
  let connections = 0;
  const listener = createServer(() => (connections += 1)).listen(0, "127.0.0.1");
  stack.defer(() => void listener.close());
  await once(listener, "listening");
  const origin = makeStringKit(dir);
  const originUrl = `${http.url}${origin}`;
  const apiPort = await freePort();
  writeFileSync(join(dir, "agent.json"), JSON.stringify(TEMPLATE));
  const { PATH, HOME, SWARM_TOOLS, SWARM_REDIS_SERVER } = process.env;
  const swarm = await startSwarm({
    home,
    env: {
      PATH,
      HOME,
      SWARM_TOOLS,
      SWARM_REDIS_SERVER,
      GIT_REPO_URL: originUrl,
      GIT_READ_CREDENTIAL: http.demands,
      GIT_WRITE_CREDENTIAL: http.demands,
      API_PORT: String(apiPort),
      LLM_BASE_URL: model.baseUrl,
      LLM_API_KEY: secrets["the model key"],
      LLM_MODEL: "scripted",
      BROKER_TOKEN: secrets["the broker's token"],
      ALLOW_UNISOLATED: "true",
      ALLOW_UNLIMITED: "true",
      ATTEMPT_BUDGET: "1",
      LOG_LEVEL: "debug",
      AGENT_RUNTIME: "command",
      AGENT_TEMPLATE: join(dir, "agent.json"),
      AGENT_COMMAND_DIR: AGENT,
    },
    scenarioDir: "",
    say: () => undefined,
  });
  stack.defer(() => swarm.stop());
  for (const [user, password] of Object.entries(await openRedisPasswords(join(home, "redis"))))
    secrets[`the Redis password of ${user}`] = password;
  secrets["the secret of Redis"] = readFileSync(join(home, "redis/secret"), "utf8");

  const { port: listenerPort } = listener.address() as AddressInfo;
  const injections = makeInjections({ listenerPort, apiPort, originUrl, hostDir, home });
  const redisPort = Number(new URL(swarm.redisUrl).port);
  plant({ origin, dir, secret: secrets["the target's secret"] ?? "", redisPort }, injections);
  const seed = git(origin, "rev-parse", "main");

  const answers: Searched[] = [];
  const ask = async (path: string, body?: object): Promise<string> => {
    const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    const init = body === undefined ? { headers } : { headers, method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${swarm.apiUrl}${path}`, init);
    const text = await response.text();
    answers.push([`the answer of ${path}`, `${JSON.stringify([...response.headers])}\n${text}`]);
    return text;
  };
  const feature = await work(ask);
  const details = feature.tasks.map(
    async ({ key, id }) => [key, JSON.parse(await ask(`/v1/tasks/${id}`)) as TaskDetail] as const,
  );
  const tasks = Object.fromEntries(await Promise.all(details));
  const boards = QUEUES.flatMap((queue) =>
    JOB_STATES.map((state) => `/queues/api/queues?activeQueue=${queue}&status=${state}&jobsPerPage=1000`),
  );
  const transcripts = feature.tasks.map(({ id }) => `/v1/tasks/${id}/transcript`);
  const others = ["/v1/features", "/v1/status", "/v1/jobs", "/v1/nothing", "/v1/tasks/none", "/metrics"];
  for (const path of [...boards, ...transcripts, ...others]) await ask(path);
  const calls = feature.tasks.flatMap(({ key, id }) => readCalls(home, key, id));
  await swarm.stop();

  const isolated = !readFileSync(join(home, "logs/dispatcher.log"), "utf8").includes('"isolation":"none"');
  const disposal = stack.move();
  return {
    home,
    hostDir,
    origin,
    seed,
    injections,
    secrets,
    feature,
    tasks,
    calls,
    answers,
    connections,
    isolated,
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

function random(length = 40): string {
  const characters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => characters.charAt(byte % characters.length)).join("");
}

/** Answers the planner with the plan, and the call of an agent with an error that carries the key. */
async function startModel(): Promise<ScriptedBackend> {
  const message = { role: "assistant", content: JSON.stringify(PLAN) };
  const plan = json(200, { choices: [{ index: 0, message, finish_reason: "stop" }], usage: USAGE });
  return startBackend((request, response, body) => {
    const error = json(400, { error: { message: `not valid: ${request.headers.authorization}` } });
    (JSON.stringify(body).includes("say the key") ? error : plan)(request, response, body);
  });
}

/** Submits a feature, and waits until every task has ended or waits for a person. */
async function work(ask: (path: string, body?: object) => Promise<string>): Promise<FeatureDetail> {
  const { id } = JSON.parse(await ask("/v1/features", { title: "Improve the kit" })) as { id: string };
  let last = "";
  return waitUntil(
    "all tasks ended",
    120_000,
    async () => {
      last = await ask(`/v1/features/${id}`);
      const now = JSON.parse(last) as FeatureDetail;
      return ["done", "failed", "held"].includes(now.status) ? now : null;
    },
    () => last,
  );
}

function readCalls(home: string, task: string, id: string): Call[] {
  const lines = readFileSync(join(home, "artifacts/transcripts", id, "1.jsonl"), "utf8")
    .trim()
    .split("\n");
  const contents = lines.map((line) => {
    const { content } = (JSON.parse(line) as { message: { content: unknown } }).message;
    return Array.isArray(content) ? (content[0] as { text?: string; arguments?: { command: string } }) : {};
  });
  return contents.flatMap(({ arguments: args }, at) =>
    args === undefined ? [] : [{ task, command: args.command, output: contents[at + 1]?.text ?? "" }],
  );
}
