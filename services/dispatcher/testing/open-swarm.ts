import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_LIMITS, jobId, taskSchema, type Limits, type Task } from "@agentswarm/contracts";
import { createSender, openQueue, type QueueConnection, type Sender } from "@agentswarm/queue";
import { createLogger, parseEnv } from "@agentswarm/service";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { settings } from "../src/config.ts";
import { start } from "../src/start.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** A real Redis, an origin and a home: everything around a dispatcher. */
export interface TestSwarm extends AsyncDisposable {
  readonly home: string;
  readonly origin: string;
  readonly redis: TestRedis;
  readonly connection: QueueConnection;
  readonly sender: Sender;
  readonly env: Record<string, string>;
  /** Starts a dispatcher in this process. `lines` receives its log as JSON lines; without it nothing is logged. */
  dispatcher(more?: Record<string, string>, lines?: string[]): Promise<AsyncDisposable>;
  /** Starts a dispatcher as a process of its own. */
  process(more?: Record<string, string>): ChildProcess;
  /** Sends a task for which the fake agent does what `act` names. */
  submit(
    act: string,
    more?: { limits?: Partial<Limits>; kind?: Task["kind"]; key?: string; featureId?: string },
  ): Promise<Task>;
}

export async function openSwarm(
  baseUrl: string,
  options: Parameters<typeof startRedis>[0] = {},
): Promise<TestSwarm> {
  const redis = await startRedis(options);
  const home = mkdtempSync(join(tmpdir(), "swarm-dispatcher-"));
  const origin = makeOrigin(home);
  const connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" });
  const sender = createSender(connection, "test");
  const env = {
    PATH: process.env["PATH"] ?? "",
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
    REDIS_URL: redis.url,
    QUEUE_PREFIX: redis.prefix,
    SWARM_HOME: home,
    GIT_REPO_URL: origin,
    LLM_BASE_URL: baseUrl,
    LLM_API_KEY: "the-real-key",
    AGENT_FILE: join(HERE, "fake-agent.mjs"),
    // Allows sandboxes without isolation, where bubblewrap does not work: these tests are about the dispatcher.
    MODEL_RECORDED: "true",
    MAX_WORKERS: "4",
    LOG_LEVEL: "error",
    LOG_FORMAT: "json",
  };
  const processes: ChildProcess[] = [];
  let sent = 0;
  return {
    home,
    origin,
    redis,
    connection,
    sender,
    env,
    async dispatcher(more = {}, lines) {
      const stack = new AsyncDisposableStack();
      const variables = { ...env, ...more };
      const read = parseEnv(settings, variables);
      const log = createLogger({
        service: "dispatcher",
        level: lines === undefined ? "silent" : "info",
        format: "json",
        destination: { write: (line) => void lines?.push(line) },
      });
      await start({ settings: read, env: variables, log, stack, signal: new AbortController().signal });
      return { [Symbol.asyncDispose]: () => stack.disposeAsync() };
    },
    process(more = {}) {
      const main = join(HERE, "../src/main.ts");
      const child = spawn(process.execPath, [main], {
        env: { ...env, ...more },
        stdio: ["ignore", "inherit", "inherit"],
      });
      processes.push(child);
      return child;
    },
    async submit(act, more = {}) {
      sent += 1;
      const id = `task-${sent}`;
      const task = taskSchema.parse({
        id,
        featureId: more.featureId ?? "feature-1",
        featureSlug: "feature",
        key: more.key ?? "work",
        kind: more.kind ?? "build",
        title: `Do ${act}`,
        description: act,
        priority: 5,
        limits: { ...DEFAULT_LIMITS, ...more.limits },
      });
      await sender.send("task", { task, round: 1 }, { jobId: jobId.task(id, 1), priority: 5 });
      return task;
    },
    async [Symbol.asyncDispose]() {
      for (const child of processes) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      await connection[Symbol.asyncDispose]();
      await redis.stop();
      rmSync(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function makeOrigin(home: string): string {
  const work = join(home, "seed");
  const git = (cwd: string, ...args: string[]) => execFileSync("git", args, { cwd, encoding: "utf8" });
  git(home, "init", "-q", "-b", "main", work);
  writeFileSync(
    join(work, "swarm.json"),
    JSON.stringify({ checks: { gate: [{ name: "true", command: "true" }] } }),
  );
  git(work, "add", "-A");
  git(work, "-c", "user.name=Seed", "-c", "user.email=seed@example.com", "commit", "-q", "-m", "Begin");
  const origin = join(home, "origin.git");
  git(home, "clone", "-q", "--bare", work, origin);
  return origin;
}
