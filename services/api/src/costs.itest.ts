import { afterAll, beforeAll, expect, test } from "vitest";
import type { Task } from "@agentswarm/contracts";
import { openBudgets, openShownModel } from "@agentswarm/queue";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { pendingBodies } from "../../../test/support/queue.ts";
import { startApi, type TestApi } from "../testing/start-api.ts";
import { openEmitter } from "../testing/emit-events.ts";

interface Amount {
  usd: number;
  tokens: number;
}
interface Cost extends Amount {
  byRole: Record<string, Amount>;
  byBackend: Record<string, Amount>;
}
interface Shown {
  usd: number | null;
  tokens: number | null;
  spent: Amount;
  reserved: Amount;
  usedUp: string | null;
  reached: { at: number; level: string; why: string } | null;
}

let api: TestApi;
let emit: ReturnType<typeof openEmitter>;
let task: Task;
beforeAll(async () => {
  api = await startApi({ BUDGET_USD: "10", FEATURE_BUDGET_USD: "4", FEATURE_BUDGET_TOKENS: "5000" });
  emit = openEmitter(api);
  task = await emit.task("spending", "running");
});
afterAll(() => api[Symbol.asyncDispose]());

const read = async <T>(path: string) => (await (await api.ask(path)).json()) as T;
const about = () => ({ featureId: task.featureId, taskId: task.id });
const used = (role: string, backend: string, costUsd: number, tokensOut: number) => ({
  role,
  model: "glm-5",
  backend,
  tokensIn: 100,
  tokensOut,
  tokensCached: 0,
  costUsd,
});

test("costs are shown by attempt, role and backend", async () => {
  const { featureId } = task;
  await emit.event("model.used", { featureId }, used("plan", "one.example", 0.25, 10));
  await emit.event("model.used", { ...about(), attempt: 1 }, used("work", "one.example", 0.5, 20));
  await emit.event("model.used", { ...about(), attempt: 2 }, used("work", "two.example:8000", 1, 30));
  await emit.event("model.used", {}, used("draft-fixes", "one.example", 2, 40));
  const status = await waitUntil("all four", 20_000, async () => {
    const { cost } = await read<{ cost: Cost & { budget: Shown } }>("/v1/status");
    return cost.usd === 3.75 ? cost : null;
  });
  expect(status).toMatchObject({
    tokens: 500,
    byRole: {
      plan: { usd: 0.25, tokens: 110 },
      work: { usd: 1.5, tokens: 250 },
      "draft-fixes": { usd: 2, tokens: 140 },
    },
    byBackend: { "one.example": { usd: 2.75, tokens: 370 }, "two.example:8000": { usd: 1, tokens: 130 } },
  });
  const feature = await read<{ cost: Cost }>(`/v1/features/${featureId}`);
  expect(feature.cost).toEqual({
    usd: 1.75,
    tokens: 360,
    byRole: { plan: { usd: 0.25, tokens: 110 }, work: { usd: 1.5, tokens: 250 } },
    byBackend: { "one.example": { usd: 0.75, tokens: 230 }, "two.example:8000": { usd: 1, tokens: 130 } },
  });
  const { attempts } = await read<{ attempts: { attempt: number; cost: Cost }[] }>(`/v1/tasks/${task.id}`);
  expect(attempts.map(({ attempt, cost }) => [attempt, cost.usd, cost.tokens, cost.byBackend])).toEqual([
    [1, 0.5, 120, { "one.example": { usd: 0.5, tokens: 120 } }],
    [2, 1, 130, { "two.example:8000": { usd: 1, tokens: 130 } }],
  ]);
  const metrics = await (await api.ask("/metrics")).text();
  expect(metrics).toContain("# TYPE agentswarm_cost_usd_total counter");
  expect(metrics).toContain('agentswarm_cost_usd_total{role="work",backend="two.example:8000"} 1');
  expect(metrics).toContain('agentswarm_tokens_total{role="plan",backend="one.example"} 110');
  expect(metrics).not.toContain(task.id);
});

test("feature, task, status and metrics show the same costs", async () => {
  const feature = await read<{ costUsd: number; tokens: number; cost: Cost; tasks: { costUsd: number }[] }>(
    `/v1/features/${task.featureId}`,
  );
  expect([feature.costUsd, feature.tokens]).toEqual([feature.cost.usd, feature.cost.tokens]);
  const listed = await read<{ features: { id: string; costUsd: number }[] }>("/v1/features");
  expect(listed.features.find(({ id }) => id === task.featureId)?.costUsd).toBe(feature.cost.usd);
  const { attempts } = await read<{ attempts: { cost: Cost }[] }>(`/v1/tasks/${task.id}`);
  expect(feature.tasks[0]?.costUsd).toBe(attempts.reduce((sum, { cost }) => sum + cost.usd, 0));

  const { cost } = await read<{ cost: Cost }>("/v1/status");
  const metrics = await (await api.ask("/metrics")).text();
  const counted = [...metrics.matchAll(/^agentswarm_cost_usd_total\{.*\} (\S+)$/gm)];
  expect(counted.reduce((sum, [, usd]) => sum + Number(usd), 0)).toBe(cost.usd);
  // The reconciler's calls belong to no feature.
  expect(cost.usd).toBe(feature.cost.usd + (cost.byRole["draft-fixes"]?.usd ?? 0));
});

test("an event that is sent twice is counted once", async () => {
  const { featureId } = await emit.task("twice", "running");
  const data = used("work", "one.example", 0.5, 20);
  await emit.twice("sent-twice", "model.used", { featureId, taskId: "twice", attempt: 1 }, data);
  await emit.event("model.used", { featureId, taskId: "twice", attempt: 1 }, { ...data, costUsd: 0.25 });
  await waitUntil("the sum", 20_000, async () => {
    const { cost } = await read<{ cost: Cost }>(`/v1/features/${featureId}`);
    expect(cost.usd).toBeLessThanOrEqual(0.75);
    return cost.usd === 0.75 ? true : null;
  });
  const { attempts } = await read<{ attempts: { cost: Cost }[] }>("/v1/tasks/twice");
  expect(attempts.map(({ cost }) => cost.usd)).toEqual([0.75]);
});

test("budgets are shown with spent and reserved amounts, and when they were reached", async () => {
  const { featureId } = await emit.task("dear", "running");
  using budgets = openBudgets(api.connection, {});
  const purse = budgets.of({ featureId });
  const spent = await purse.reserve({ costUsd: 3, tokens: 100 });
  if (spent.kind === "granted") await spent.commitReservation({ costUsd: 3.5, tokensIn: 100, tokensOut: 20 });
  const open = await purse.reserve({ costUsd: 0.25, tokens: 30 });
  const show = async () => ({
    feature: (await read<{ budget: Shown }>(`/v1/features/${featureId}`)).budget,
    swarm: (await read<{ cost: { budget: Shown } }>("/v1/status")).cost.budget,
  });
  const stand = {
    spent: { usd: 3.5, tokens: 120 },
    reserved: { usd: 0.25, tokens: 30 },
    usedUp: null,
    reached: null,
  };
  expect(await show()).toEqual({
    feature: { usd: 4, tokens: 5_000, ...stand },
    swarm: { usd: 10, tokens: null, ...stand },
  });
  if (open.kind === "granted") await open.commitReservation({ costUsd: 7, tokensIn: 1, tokensOut: 0 });
  const reached = { level: "swarm", why: "BUDGET_USD=10 is used up (10.5)" };
  await emit.event("budget.reached", { featureId }, reached);
  // The bound of an attempt shows with the attempt.
  await emit.event(
    "budget.reached",
    { featureId, taskId: "dear", attempt: 1 },
    { level: "task", why: "its own" },
  );
  await emit.feature(featureId, "building", 9, `waiting: ${reached.why}`);
  const { feature, swarm } = await show();
  expect(feature).toMatchObject({ usedUp: "FEATURE_BUDGET_USD=4 is used up (10.5)", reached });
  expect(swarm).toMatchObject({ usedUp: reached.why, reached });
  expect(await read(`/v1/features/${featureId}`)).toMatchObject({ reason: `waiting: ${reached.why}` });
});

test("a feature shows its forecast", async () => {
  const { featureId } = await emit.task("planned", "planned");
  expect(await read(`/v1/features/${featureId}`)).toMatchObject({ forecast: null });
  const forecast = { usd: 3, tokens: 600, tasks: 2, basedOn: 7, warning: "3 USD are expected, but …" };
  const counts = { total: 2, ready: 0, underWay: 1, landed: 0, failed: 0, held: 0 };
  const data = {
    status: "building",
    reason: null,
    costUsd: 0,
    tokens: 0,
    finishedAt: null,
    counts,
    forecast,
  };
  await emit.event("feature.changed", { featureId, ledgerVersion: 9 }, data);
  const shown = await waitUntil("the forecast", 20_000, async () => {
    const feature = await read<{ forecast: object | null }>(`/v1/features/${featureId}`);
    return feature.forecast;
  });
  expect(shown).toEqual(forecast);
});

test("a feature may have a budget of at most the swarm's", async () => {
  const answer = await api.post("/v1/features", { title: "Frugal", budget: { usd: 2 } });
  expect(answer.status).toBe(202);
  const { id } = (await answer.json()) as { id: string };
  const sent = (await pendingBodies(api.connection, "plan")) as {
    feature?: { id: string; budget?: object };
  }[];
  expect(sent.find((one) => one.feature?.id === id)?.feature?.budget).toEqual({ usd: 2 });
  const dear = await api.post("/v1/features", { title: "Dear", budget: { usd: 10.5 } });
  expect(dear.status).toBe(422);
  expect(await dear.json()).toMatchObject({
    type: "urn:agentswarm:budget-too-high",
    detail: "budget.usd: 10.5 is more than the swarm's BUDGET_USD=10",
  });
  const wrong = await api.post("/v1/features", { title: "Wrong", budget: { usd: -1, euros: 5 } });
  expect(wrong.status).toBe(400);
  const { errors } = (await wrong.json()) as { errors: { field: string }[] };
  expect(errors.map(({ field }) => field).toSorted()).toEqual(["budget.euros", "budget.usd"]);
});

test("a budget in dollars is refused while the price of a model is not known", async () => {
  const shown = openShownModel(api.connection);
  const unpriced = "the price of own at h:1 is not known; set LLM_PRICE_IN and LLM_PRICE_OUT";
  await shown.tell({ name: "own", recorded: false, unpriced });
  for (const path of ["/v1/features", `/v1/features/${task.featureId}/budget`]) {
    const body = path === "/v1/features" ? { title: "Capped", budget: { usd: 2 } } : { usd: 2 };
    const refused = await api.post(path, body);
    expect([refused.status, await refused.json()]).toMatchObject([
      422,
      { type: "urn:agentswarm:budget-without-price", detail: `budget.usd: ${unpriced}` },
    ]);
  }
  expect((await api.post("/v1/features", { title: "In tokens", budget: { tokens: 9 } })).status).toBe(202);
  await shown.tell({ name: "own", recorded: false, unpriced: null });
});

test("a feature's budget can be changed up to the swarm's", async () => {
  const path = `/v1/features/${task.featureId}/budget`;
  expect((await api.post(path, { usd: 8, tokens: 1_000 })).status).toBe(202);
  expect(await pendingBodies(api.connection, "plan")).toContainEqual({
    kind: "budget",
    featureId: task.featureId,
    budget: { usd: 8, tokens: 1_000 },
    by: "local",
    via: "rest",
  });
  expect((await api.post(path, { usd: 11 })).status).toBe(422);
  expect((await api.post(path, {})).status).toBe(400);
  expect((await api.post("/v1/features/feature-none/budget", { usd: 1 })).status).toBe(404);
});
