import { expect, test } from "vitest";
import { isEventOf, type EventType, type Handoff } from "@agentswarm/contracts";
import { openBudgets } from "@agentswarm/queue";
import { waitUntil } from "../../../test/support/wait-until.ts";
import { openCostHistory } from "./cost-history.ts";
import { planned, startPlanner, type TestPlanner } from "../testing/start-planner.ts";

const plan = { tasks: [planned("a"), planned("b", "a")] };
const met = { met: true, reason: "It is all there.", tasks: [] };
const answer = (_: number, text: string) => (text.includes("/-/accept") ? met : plan);
/** The usage of each call of the scripted model, at glm-5's prices. */
const CALL = { usd: 0.000_132, tokens: 110 };

const metricsOf = (costUsd: number, tokensIn: number): Handoff["metrics"] => ({
  linesAdded: 1,
  linesRemoved: 0,
  filesCreated: 0,
  filesModified: 1,
  tokensIn,
  tokensOut: 0,
  tokensCached: 0,
  costUsd,
  toolCalls: 1,
  turns: 1,
  durationMs: 1,
});

/** Spends as an attempt of the feature does. */
async function spend(
  planner: TestPlanner,
  featureId: string,
  costUsd: number,
  tokens: number,
): Promise<void> {
  using budgets = openBudgets(planner.connection, {});
  const reserved = await budgets.of({ featureId }).reserve({ costUsd, tokens });
  if (reserved.kind === "granted")
    await reserved.commitReservation({ costUsd, tokensIn: tokens, tokensOut: 0 });
}
const eventsOf = async <T extends EventType>(planner: TestPlanner, type: T) =>
  (await planner.events()).filter(isEventOf(type));

test("at the feature's cap its tasks wait until the cap is raised", async () => {
  await using planner = await startPlanner(answer, { FEATURE_BUDGET_USD: "0.5" });
  const id = await planner.submit();
  const a = await planner.sentAs("a");
  await spend(planner, id, 0.6, 1_000);
  await planner.land(a);
  const waiting = await planner.ledger(
    id,
    (one) => one.outOfBudget !== null && one.tasks[0]?.status === "landed",
  );
  expect(waiting.outOfBudget).toEqual({
    level: "feature",
    why: "FEATURE_BUDGET_USD=0.5 is used up (0.6001)",
  });
  expect(waiting.tasks.map((record) => [record.status, record.round])).toEqual([
    ["landed", 1],
    ["ready", 0],
  ]);
  const [reached] = await waitUntil("the event", 20_000, async () => {
    const found = await eventsOf(planner, "budget.reached");
    return found.length > 0 ? found : null;
  });
  expect(reached).toMatchObject({ featureId: id, data: waiting.outOfBudget });
  const last = (await eventsOf(planner, "feature.changed")).findLast(({ data }) => data.reason !== null);
  expect(last?.data.reason).toBe("waiting: FEATURE_BUDGET_USD=0.5 is used up (0.6001)");
  // Another feature has a budget of its own.
  const other = await planner.submit("Another thing");
  await planner.ledger(other, (one) => one.tasks.length === 2 && one.outOfBudget === null);

  await planner.service.stop();
  await planner.again({ FEATURE_BUDGET_USD: "5" });
  await waitUntil(
    "the sending of b",
    20_000,
    async () =>
      [...(await planner.sent()).values()].some((one) => one.task.key === "b" && one.task.featureId === id) ||
      null,
  );
  expect(await planner.ledger(id, (one) => one.outOfBudget === null)).toMatchObject({ reason: null });
});

test("an attempt that ended for lack of budget is sent again once its feature has more", async () => {
  await using planner = await startPlanner(answer);
  const id = await planner.submit("Frugal", { usd: 0.001, tokens: 1_000 });
  const a = await planner.sentAs("a");
  await spend(planner, id, 0.002, 10);
  await planner.handOver(a, null, { end: "budget", outcome: "failed", headCommit: null, reason: "no money" });
  const waiting = await planner.ledger(id, (one) => one.tasks[0]?.status === "ready");
  expect(waiting.outOfBudget?.why).toMatch(/^the feature's budget.usd=0.001 is used up \(0.00213/);
  expect(waiting.tasks[0]).toMatchObject({ attemptsUsed: 0, crashes: 0 });
  await planner.send({ kind: "budget", featureId: id, budget: { usd: 1 }, by: "ada", via: "rest" });
  const again = await planner.sentAs("a", 2);
  expect(again.task.id).toBe(a.task.id);
  const ledger = await planner.ledger(id, (one) => one.outOfBudget === null);
  expect(ledger.feature.budget).toEqual({ usd: 1, tokens: 1_000 });
});

test("planning waits while the swarm's budget is used up", async () => {
  await using planner = await startPlanner(answer, { BUDGET_TOKENS: String(CALL.tokens) });
  const first = await planner.submit();
  // The plan of the first feature used up the budget, so its task waits too.
  await planner.ledger(first, (one) => one.outOfBudget?.level === "swarm");
  const second = await planner.submit("Late");
  const waiting = await planner.ledger(second, (one) => one.outOfBudget !== null);
  expect(waiting).toMatchObject({
    status: "queued",
    outOfBudget: { why: "BUDGET_TOKENS=110 is used up (110)" },
  });
  expect(planner.model.asked).toHaveLength(1);
  await planner.service.stop();
  await planner.again({ BUDGET_TOKENS: "1000000" });
  await planner.ledger(second, (one) => one.status === "building");
  await planner.ledger(first, (one) => one.tasks[0]?.status === "sent");
});

test("every model call of the planner is in the budget, the feature's sums and the events", async () => {
  await using planner = await startPlanner((nth) => (nth === 0 ? "no plan" : plan));
  const id = await planner.submit();
  await planner.sentAs("a");
  using budgets = openBudgets(planner.connection, {});
  const { feature } = await budgets.read(id);
  expect(feature).toMatchObject({ spent: { tokens: 2 * CALL.tokens }, reserved: { costUsd: 0, tokens: 0 } });
  expect(feature?.spent.costUsd).toBeCloseTo(2 * CALL.usd, 9);
  const ledger = await planner.ledger(id);
  expect(ledger).toMatchObject({ tokens: 2 * CALL.tokens });
  expect(ledger.costUsd).toBeCloseTo(2 * CALL.usd, 9);
  const used = await waitUntil("both events", 20_000, async () => {
    const found = await eventsOf(planner, "model.used");
    return found.length === 2 ? found : null;
  });
  const backend = new URL(planner.model.url).host;
  expect(used[0]).toMatchObject({
    featureId: id,
    data: { role: "plan", model: "glm-5", backend, tokensIn: 100 },
  });
});

test("a plan has a forecast from the costs of landed tasks", async () => {
  await using planner = await startPlanner(answer, { FEATURE_BUDGET_USD: "3" });
  const id = await planner.submit();
  expect((await planner.ledger(id, (one) => one.tasks.length === 2)).forecast).toBeNull();
  const a = await planner.sentAs("a");
  const failed = { end: "failed", headCommit: null, attempt: 1, metrics: metricsOf(0.5, 100) } as const;
  await planner.handOver(a, null, failed);
  const again = await planner.sentAs("a", 2);
  const commit = "c".repeat(40);
  const landed = { kind: "landed", commit, tree: commit, group: 1 } as const;
  await planner.handOver(again, landed, { attempt: 2, metrics: metricsOf(1.25, 200) });
  const history = openCostHistory(planner.connection);
  await waitUntil("the history", 20_000, async () => ((await history.all()).length > 0 ? true : null));
  const next = await planner.submit("The next");
  const { forecast } = await planner.ledger(next, (one) => one.tasks.length === 2);
  expect(forecast).toEqual({
    usd: 3.5,
    tokens: 600,
    tasks: 2,
    basedOn: 1,
    warning: "3.5 USD are expected, but the feature's budget has 3 left",
  });
  const changed = await waitUntil("the event", 20_000, async () => {
    const mine = (await eventsOf(planner, "feature.changed")).filter((event) => event.featureId === next);
    return mine.find(({ data }) => data.forecast !== null) ?? null;
  });
  expect(changed.data.forecast).toEqual(forecast);
});
