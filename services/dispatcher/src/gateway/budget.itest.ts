import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBudgets, openQueue, type BudgetCaps } from "@agentswarm/queue";
import { startRedis, type TestRedis } from "../../../../test/support/redis.ts";
import { waitUntil } from "../../../../test/support/wait-until.ts";
import { event, chunk, json, startBackend, USAGE } from "../../../../test/support/scripted-backend.ts";
import { openGateway } from "../../testing/open-gateway.ts";

const COMPLETION = {
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
};
/** What one such call costs at glm-5's prices. */
const CALL = { costUsd: (600 * 1 + 400 * 0.2 + 100 * 3.2) / 1_000_000, tokens: 1_100 };

let redis: TestRedis;
let swarms = 0;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** The budgets of a new swarm, with the handle of one attempt. */
async function openSwarmBudget(caps: BudgetCaps, limits = { costUsd: 5, tokens: 1_000_000 }) {
  swarms += 1;
  const stack = new AsyncDisposableStack();
  const connection = stack.use(
    await openQueue({ redisUrl: redis.url, service: "test", prefix: `${redis.prefix}-${swarms}` }),
  );
  const budgets = stack.use(openBudgets(connection, caps));
  const attempt = { taskId: "t", attempt: 1, limits };
  const budget = budgets.of({ featureId: "f", attempt });
  return { budgets, budget, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const statusesOf = (answers: readonly { status: number }[]) =>
  answers.map((one) => one.status).toSorted((a, b) => a - b);

test("a call beyond the feature's cap is answered 402 with the name of the setting", async () => {
  await using opened = await openSwarmBudget({ FEATURE_BUDGET_USD: 0.0015 });
  await using backend = await startBackend(json(200, COMPLETION));
  await using gateway = await openGateway(backend.baseUrl, { budget: opened.budget });
  expect((await gateway.call({})).status).toBe(200);
  expect((await gateway.call({})).status).toBe(200);
  for (let again = 0; again < 2; again += 1) {
    const refused = await gateway.call({});
    expect(refused.status).toBe(402);
    expect(JSON.parse(refused.text)).toEqual({
      error: { message: "FEATURE_BUDGET_USD=0.0015 is used up (0.002)" },
    });
  }
  expect(backend.asked).toHaveLength(2);
  // The feature's budget is reported once, and a refused call is no turn of the attempt.
  expect(gateway.exhausted).toEqual(["FEATURE_BUDGET_USD=0.0015 is used up (0.002)"]);
  expect([gateway.own.usedUp(), gateway.own.exhausted()]).toEqual([gateway.exhausted[0], null]);
  expect(gateway.own.calls()).toBe(2);
  const { swarm, feature } = await opened.budgets.read("f");
  const stand = {
    spent: { costUsd: 2 * CALL.costUsd, tokens: 2 * CALL.tokens },
    reserved: { costUsd: 0, tokens: 0 },
  };
  expect([swarm, feature]).toMatchObject([stand, stand]);
});

test("a call reserves its prompt and its longest answer until it ends", async () => {
  await using opened = await openSwarmBudget({});
  let answer: ServerResponse | undefined;
  await using backend = await startBackend((_, response) => void (answer = response), json(400, {}));
  await using gateway = await openGateway(backend.baseUrl, { budget: opened.budget });
  const messages = [{ role: "user", content: "x".repeat(40_000) }];
  const call = gateway.call({ messages, max_tokens: 300 });
  const open = await waitUntil("the call", 10_000, () => answer ?? null);
  const { reserved } = (await opened.budgets.read()).swarm;
  expect(reserved.tokens).toBeGreaterThan(10_300);
  expect(reserved.tokens).toBeLessThan(10_400);
  expect(reserved.costUsd).toBeCloseTo(((reserved.tokens - 300) * 1 + 300 * 3.2) / 1_000_000, 9);
  open.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(COMPLETION));
  await call;
  expect((await gateway.call({})).status).toBe(400);
  expect((await opened.budgets.read()).swarm).toMatchObject({
    spent: { tokens: CALL.tokens },
    reserved: { costUsd: 0, tokens: 0 },
  });
});

test("a stream that the sandbox breaks off is charged for the part that was sent", async () => {
  await using opened = await openSwarmBudget({});
  await using backend = await startBackend((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(chunk({ content: "and then ".repeat(100) })));
  });
  await using gateway = await openGateway(backend.baseUrl, { budget: opened.budget });
  const stream = gateway.ask({ stream: true });
  stream.on("error", () => undefined);
  await new Promise((seen) => stream.once("data", seen));
  stream.destroy();
  const state = await waitUntil("the end of the call", 10_000, async () => {
    const { swarm } = await opened.budgets.read();
    return swarm.reserved.tokens === 0 ? swarm : null;
  });
  expect(state.spent.tokens).toBeGreaterThan(200);
});

test("calls of many agents at once never exceed the budget by more than one call", async () => {
  // A call uses fewer tokens than it reserves, so the budget has room for three calls one after another.
  await using opened = await openSwarmBudget({ BUDGET_TOKENS: 2.5 * CALL.tokens });
  await using backend = await startBackend(json(200, { ...COMPLETION }));
  const messages = [{ role: "user", content: "x".repeat(12_000) }];
  const stack = new AsyncDisposableStack();
  await using _ = stack;
  const gateways = await Promise.all(
    Array.from({ length: 8 }, async () => {
      return stack.use(await openGateway(backend.baseUrl, { budget: opened.budget }));
    }),
  );
  const answers = await Promise.all(gateways.map((one) => one.call({ messages })));
  expect(statusesOf(answers)).toEqual([200, 200, 200, 402, 402, 402, 402, 402]);
  expect((await opened.budgets.read()).swarm.spent.tokens).toBe(3 * CALL.tokens);
});

test("a call is answered 503 when the budget cannot be read", async () => {
  const opened = await openSwarmBudget({});
  await using backend = await startBackend(json(200, COMPLETION));
  await using gateway = await openGateway(backend.baseUrl, { budget: opened.budget });
  await opened[Symbol.asyncDispose]();
  expect((await gateway.call({})).status).toBe(503);
  expect(gateway.own.unavailable()).toContain("the budget could not be read");
  expect([gateway.own.usedUp(), backend.asked.length]).toEqual([null, 0]);
});

test("an attempt's own limit holds for calls at once", async () => {
  await using opened = await openSwarmBudget({}, { costUsd: 5, tokens: 500 });
  await using backend = await startBackend(json(200, COMPLETION));
  await using gateway = await openGateway(backend.baseUrl, { budget: opened.budget });
  const answers = await Promise.all([1, 2, 3, 4].map(() => gateway.call({})));
  expect(statusesOf(answers)).toEqual([200, 402, 402, 402]);
  expect(gateway.own.usedUp()).toBeNull();
  expect(gateway.own.exhausted()).toBe("the limit of 500 tokens was reached (1100)");
  expect(gateway.exhausted).toHaveLength(1);
});
