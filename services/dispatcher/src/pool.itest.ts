import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { buildAgent } from "@agentswarm/agent";
import {
  openSandboxProvider,
  sandboxSettingsSchema,
  type Mount,
  type SandboxProvider,
} from "@agentswarm/sandbox";
import { createLogger, parseEnv } from "@agentswarm/service";
import { processesOf } from "../../../test/support/leftovers.ts";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { openPool, type AgentPool, type PoolOptions, type TakenAgent } from "./pool.ts";
import { AGENT_AT } from "./start-agent.ts";

const WITHIN_MS = 20_000;
const dir = mkdtempSync(join(tmpdir(), "swarm-pool-"));
const home = join(dir, "home");
const log = createLogger({ service: "test", level: "silent" });
let provider: SandboxProvider;
let mounts: Mount[];

beforeAll(async () => {
  mounts = [{ from: await buildAgent(join(dir, "agent.mjs")), at: AGENT_AT }];
  const settings = parseEnv(sandboxSettingsSchema, {
    ...process.env,
    ALLOW_UNISOLATED: "true",
    ALLOW_UNLIMITED: "true",
  });
  provider = await openSandboxProvider({ home, swarm: "pool", settings });
});
beforeEach(async () => {
  // A sandbox that one test leaves would change the next test.
  expect(await provider.list()).toEqual([]);
});
afterAll(() => {
  expect(readdirSync(join(home, "sandboxes"))).toEqual([]);
  rmSync(dir, { recursive: true, force: true });
});

const open = (options: Partial<PoolOptions> = {}) =>
  openPool({ provider, size: 2, swarm: "pool", wallMs: 60_000, retryMs: 100, log, ...options });
const labelled = (nth: number) => ({
  swarm: "pool",
  purpose: "agent",
  task: `task-${nth}`,
  attempt: "1",
});
const full = (pool: AgentPool, size = 2) =>
  waitUntil(`${size} waiting agents`, WITHIN_MS, () => (pool.ready() === size ? true : null));
const inPool = async () =>
  (await provider.list()).filter((one) => one.labels.purpose === "pool").map((one) => one.id);
const labelsOf = async ({ agent }: TakenAgent) =>
  (await provider.list()).find((one) => one.id === agent.sandbox.id)?.labels;
async function end({ agent }: TakenAgent): Promise<void> {
  await agent.stop();
  await agent.sandbox.terminate();
}
/** The first request of the agent, which gets no answer. */
function firstRequest({ agent }: TakenAgent): Promise<string> {
  return new Promise((resolve) => {
    agent.serve((stream, headers) => {
      resolve(`${headers[":method"]} ${headers[":path"]}`);
      stream.close();
    });
  });
}

test("an agent that is taken has the labels of its task, and another replaces it in the pool", async () => {
  await using pool = open();
  pool.fill(mounts);
  await full(pool);
  const waiting = await inPool();
  expect(waiting).toHaveLength(2);

  const taken = await pool.take({ mounts, labels: labelled(1) });
  expect(taken.warm).toBe(true);
  expect(waiting).toContain(taken.agent.sandbox.id);
  expect(await labelsOf(taken)).toEqual(labelled(1));
  expect(await firstRequest(taken)).toBe("GET /task");
  await full(pool);
  expect(await inPool()).not.toContain(taken.agent.sandbox.id);
  await end(taken);
});

test("attempts beyond the size of the pool get a new sandbox each", async () => {
  await using pool = open();
  pool.fill(mounts);
  await full(pool);
  const all = await Promise.all([1, 2, 3, 4].map((nth) => pool.take({ mounts, labels: labelled(nth) })));
  expect(new Set(all.map((one) => one.agent.sandbox.id)).size).toBe(4);
  expect(all.filter((one) => one.warm)).toHaveLength(2);
  expect(await Promise.all(all.map(firstRequest))).toEqual(Array.from({ length: 4 }, () => "GET /task"));
  expect(await Promise.all(all.map(labelsOf))).toEqual([1, 2, 3, 4].map(labelled));
  await Promise.all(all.map(end));
});

test("an agent that died while it waited is replaced", async () => {
  await using pool = open({ size: 1 });
  pool.fill(mounts);
  await full(pool, 1);
  const [dead = ""] = await inPool();
  for (const line of await processesOf(dead)) process.kill(Number.parseInt(line, 10), "SIGKILL");
  await waitUntil("its end", WITHIN_MS, async () => ((await inPool()).includes(dead) ? null : true));
  const taken = await pool.take({ mounts, labels: labelled(1) });
  expect(taken.agent.sandbox.id).not.toBe(dead);
  expect(await firstRequest(taken)).toBe("GET /task");
  await full(pool, 1);
  await end(taken);
});

test("agents with other mounts than the order are ended", async () => {
  const file = join(dir, "other.txt");
  writeFileSync(file, "other");
  const others = [...mounts, { from: file, at: "other.txt" }];
  await using pool = open();
  pool.fill(mounts);
  await full(pool);
  const before = await inPool();
  const taken = await pool.take({ mounts: others, labels: labelled(1) });
  expect(taken.warm).toBe(false);
  await full(pool);
  await waitUntil("the end of the old ones", WITHIN_MS, async () =>
    (await inPool()).some((id) => before.includes(id)) ? null : true,
  );
  const next = await pool.take({ mounts: others, labels: labelled(2) });
  expect(next.warm).toBe(true);
  expect((await next.agent.sandbox.run(["cat", "other.txt"])).outputTail).toBe("other");
  await Promise.all([end(taken), end(next)]);
});

test("an agent is replaced after its idle time", async () => {
  await using pool = open({ size: 1, idleMs: 300 });
  pool.fill(mounts);
  await full(pool, 1);
  const [first] = await inPool();
  await waitUntil("another one", WITHIN_MS, async () => {
    const now = await inPool();
    return now.length > 0 && !now.includes(first ?? "") ? true : null;
  });
});

test("a failed start is retried after retryMs, and an attempt meanwhile opens its own sandbox", async () => {
  const broken = join(dir, "broken.mjs");
  writeFileSync(broken, "process.exit(3);");
  let opened = 0;
  const counting = {
    ...provider,
    open: (spec: Parameters<SandboxProvider["open"]>[0]) => {
      opened += 1;
      return provider.open(spec);
    },
  };
  await using pool = open({ provider: counting, size: 1, retryMs: 60_000 });
  pool.fill([{ from: broken, at: AGENT_AT }]);
  await waitUntil("its end", WITHIN_MS, async () =>
    opened > 0 && (await provider.list()).length === 0 ? true : null,
  );
  expect(opened).toBe(1);
  const taken = await pool.take({ mounts, labels: labelled(1) });
  expect(taken.warm).toBe(false);
  expect(await firstRequest(taken)).toBe("GET /task");
  await end(taken);
});

test("the disposed pool leaves no sandbox, and a pool of size 0 opens none ahead", async () => {
  const pool = open({ size: 4 });
  pool.fill(mounts);
  await pool[Symbol.asyncDispose]();
  expect(await provider.list()).toEqual([]);

  await using none = open({ size: 0 });
  none.fill(mounts);
  const taken = await none.take({ mounts, labels: labelled(1) });
  expect(taken.warm).toBe(false);
  expect(await inPool()).toEqual([]);
  await end(taken);
});
