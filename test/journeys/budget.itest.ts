import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../tools/local/free-port.ts";
import { startSwarm, type LocalSwarm } from "../../tools/local/start-swarm.ts";
import { git, makeStringKit } from "../support/string-kit.ts";
import { waitUntil } from "../support/wait-until.ts";

interface Shown {
  id: string;
  status: string;
  reason: string | null;
  costUsd: number;
  tokens: number;
  cost: { tokens: number; byRole: Record<string, { tokens: number }> };
  budget: {
    tokens: number | null;
    spent: { tokens: number };
    reserved: { tokens: number };
    usedUp: string | null;
    reached: { level: string; why: string } | null;
  };
  tasks: { id: string; key: string; status: string; attempts: number }[];
}
interface ShownTask {
  attemptsUsed: number;
  attempts: { handoff: { end: string; reason?: string } | null; cost: { tokens: number } }[];
}

let dir: string;
let origin: string;
let swarm: LocalSwarm;
let id: string;
const said: string[] = [];

const get = async <T>(path: string) => JSON.parse(await (await fetch(`${swarm.apiUrl}${path}`)).text()) as T;
const post = (path: string, body: object) =>
  fetch(`${swarm.apiUrl}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
async function feature(what: string, until: (feature: Shown) => boolean): Promise<Shown> {
  let last: Shown | undefined;
  return waitUntil(
    what,
    120_000,
    async () => {
      last = await get<Shown>(`/v1/features/${id}`);
      return until(last) ? last : null;
    },
    () => `It is ${JSON.stringify(last)}. ${said.join("\n")}`,
  );
}
const waits = ({ reason, budget }: Shown) =>
  reason?.startsWith("waiting: ") === true && budget.usedUp !== null;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "swarm-budget-"));
  origin = makeStringKit(dir);
  const env = {
    GIT_REPO_URL: origin,
    API_PORT: String(await freePort()),
    REDIS_URL: "",
    RECORDED_TARGET: "any",
  };
  swarm = await startSwarm({
    home: join(dir, "home"),
    // Enough for the plan and nothing else.
    env: { ...process.env, ...env, FEATURE_BUDGET_TOKENS: "1" },
    scenarioDir: join(import.meta.dirname, "../fixtures/string-kit"),
    say: (line) => said.push(line),
  });
  const submitted = await post("/v1/features", {
    title: "Turn titles into slugs",
    acceptance: ["slugify has a test"],
  });
  ({ id } = (await submitted.json()) as { id: string });
});
afterAll(async () => {
  await swarm?.stop();
  await rm(dir, { recursive: true, force: true });
});

test("a feature whose budget its plan has used up waits and says why; no agent is started for it", async () => {
  const waiting = await feature("waiting after the plan", (one) => waits(one) && one.tasks.length > 0);
  expect(waiting).toMatchObject({ status: "building", budget: { tokens: 1, reserved: { tokens: 0 } } });
  expect(waiting.reason).toBe(`waiting: FEATURE_BUDGET_TOKENS=1 is used up (${waiting.budget.spent.tokens})`);
  expect(waiting.budget.reached).toMatchObject({ level: "feature" });
  expect(waiting.tasks.map(({ status, attempts }) => [status, attempts])).toEqual([
    ["ready", 0],
    ["planned", 0],
  ]);
  expect(Object.keys(waiting.cost.byRole)).toEqual(["plan"]);
  expect(waiting.cost.tokens).toBe(waiting.budget.spent.tokens);
});

test("with a little more an agent begins and is stopped at the cap, at the cost of no attempt", async () => {
  const { spent } = (await get<Shown>(`/v1/features/${id}`)).budget;
  const cap = spent.tokens + 1;
  expect((await post(`/v1/features/${id}/budget`, { tokens: cap })).status).toBe(202);
  const waiting = await feature(
    "waiting at the new cap",
    (one) =>
      waits(one) &&
      one.budget.tokens === cap &&
      one.tasks[0]?.attempts === 1 &&
      one.tasks[0].status === "ready",
  );
  const task = await get<ShownTask>(`/v1/tasks/${waiting.tasks[0]?.id}`);
  expect(task.attemptsUsed).toBe(0);
  expect(task.attempts[0]?.handoff).toMatchObject({ end: "budget", reason: waiting.budget.usedUp });
  // One call was granted below the cap, and no other.
  const call = task.attempts[0]?.cost.tokens ?? 0;
  expect(call).toBeGreaterThan(0);
  expect(waiting.budget.spent.tokens).toBe(spent.tokens + call);
});

test("with enough the work goes on to its end, and every figure tells the same", async () => {
  expect((await post(`/v1/features/${id}/budget`, { tokens: 100_000_000 })).status).toBe(202);
  const done = await feature("the feature's end", ({ status }) => ["done", "failed"].includes(status));
  expect(done).toMatchObject({ status: "done", reason: expect.anything() });
  expect(done.tasks.map((task) => task.status)).toEqual(["landed", "landed"]);
  const settled = await feature("every cost told", ({ cost, budget }) => cost.tokens === budget.spent.tokens);
  expect(settled.tokens).toBe(settled.cost.tokens);
  expect(settled.budget.reserved.tokens).toBe(0);
  expect(Object.keys(settled.cost.byRole).toSorted()).toEqual(["accept", "plan", "work"]);
  expect(
    git(origin, "log", "--format=%(trailers:key=Swarm-Cost-Usd,valueonly,separator=)", "-1", "main"),
  ).not.toBe("");
});
