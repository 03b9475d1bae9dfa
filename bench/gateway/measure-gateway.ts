import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DEFAULT_LIMITS } from "@agentswarm/contracts";
import { createRouter, resolveBackends } from "@agentswarm/llm";
import { openDoor } from "@agentswarm/sandbox";
import { createLogger } from "@agentswarm/service";
import { createGateway } from "../../services/dispatcher/src/gateway/gateway.ts";
import type { AttemptKey } from "../../services/dispatcher/src/gateway/attempt-key.ts";
import type { Assignment, Figures } from "./caller-main.ts";
import { UNLIMITED_BUDGET } from "../../test/support/unlimited-budget.ts";

export interface GatewayOrder {
  /** Streams through the gateway at any time; as many go to the server directly. */
  readonly streams: number;
  /** Processes that send them, each with a door. */
  readonly doors: number;
  readonly bodyBytes: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const CHUNKS = 10;
const EVERY_MS = 100;
const MODEL = "bench";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Measures the times to the first byte with and without door and gateway, alternating in one run. */
export async function measureGateway(order: GatewayOrder): Promise<Figures & { cpuMsPerCall: number }> {
  await using stack = new AsyncDisposableStack();
  const started = (name: string, args: string[]) => {
    const child = fork(file(name), args, { stdio: ["pipe", "pipe", "inherit", "ipc"] });
    stack.defer(() => end(child));
    return child;
  };
  const server = started("server-main.ts", [String(CHUNKS), String(EVERY_MS)]);
  const [port] = (await once(server, "message")) as [number];
  const url = `http://127.0.0.1:${port}/v1`;
  const log = createLogger({ service: "bench", level: "silent" });
  const router = createRouter(resolveBackends({ LLM_BASE_URL: url, LLM_MODEL: MODEL }, {}));
  const gateway = createGateway(router, { model: MODEL, maxTokens: 1_000, log });

  // Each agent alternates between the two, so twice as many are needed.
  const perDoor = Math.round((order.streams * 2) / order.doors);
  const body = JSON.stringify({
    model: MODEL,
    stream: true,
    messages: [{ role: "user", content: "word ".repeat(order.bodyBytes / 5) }],
  });
  const callers = Array.from({ length: order.doors }, async () => {
    const child = started("caller-main.ts", []);
    const keys = Array.from({ length: perDoor }, (_, nth) =>
      gateway.issue({
        ids: { featureId: "bench", taskId: "bench", attempt: nth + 1 },
        role: "work",
        budget: UNLIMITED_BUDGET,
        limits: { ...DEFAULT_LIMITS, turns: 1e9, tokens: 1e12, costUsd: 1e9 },
        expiresAt: Date.now() + 3_600_000,
      }),
    );
    serve(child, gateway, new Map(keys.map((key) => [`Bearer ${key.key}`, key])));
    const { warmUpMs, measureMs } = order;
    const texts = keys.map(({ key }) => key);
    child.send({
      url,
      keys: texts,
      body,
      warmUpMs,
      measureMs,
      streamMs: CHUNKS * EVERY_MS,
    } satisfies Assignment);
    const [figures] = (await once(child, "message")) as [Figures];
    return figures;
  });
  await sleep(order.warmUpMs);
  const before = process.cpuUsage();
  const all = await Promise.all(callers);
  const { user, system } = process.cpuUsage(before);
  const door = all.flatMap((figures) => figures.door);
  return {
    direct: all.flatMap(({ direct }) => direct),
    door,
    cpuMsPerCall: (user + system) / 1_000 / door.length,
  };
}

function serve(
  child: ChildProcess,
  gateway: ReturnType<typeof createGateway>,
  keys: ReadonlyMap<string, AttemptKey>,
): void {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("the caller has no streams");
  const exit = once(child, "exit").then(() => ({ code: child.exitCode, signal: child.signalCode }));
  const wire = { stdin, stdout, stderr: stdout, exit, kill: () => void child.kill() };
  openDoor(wire as unknown as Parameters<typeof openDoor>[0], (stream, headers) => {
    const key = keys.get(headers.authorization ?? "");
    if (key === undefined) return stream.close();
    void gateway.complete(key, stream, headers, { received: () => undefined, hold: () => undefined });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
