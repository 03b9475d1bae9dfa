import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TRUNK_HEALTH } from "@agentswarm/contracts";
import { openTcpProxy } from "../../../../test/support/tcp-proxy.ts";
import { startRedis, type TestRedis } from "../../../../test/support/redis.ts";
import { openBudgets, openQueue, type BudgetCaps, type Budgets, type QueueConnection } from "../index.ts";

let redis: TestRedis;
let swarms = 0;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** Three replicas of a new swarm. */
async function openSwarm(
  caps: BudgetCaps,
  options: { ttlMs?: number; pollMs?: number } = {},
  server = redis,
) {
  swarms += 1;
  const stack = new AsyncDisposableStack();
  const connections: QueueConnection[] = [];
  for (let nth = 0; nth < 3; nth += 1) {
    const at = { redisUrl: server.url, service: "test", prefix: `${server.prefix}-${swarms}` };
    connections.push(stack.use(await openQueue(at)));
  }
  const replicas = connections.map((one) => stack.use(openBudgets(one, caps, options)));
  const [first] = replicas as [Budgets];
  return { first, replicas, connections, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

interface Call {
  readonly feature: number;
  /** The estimate, in thousandths of a dollar; the estimated tokens are the same number. */
  readonly most: number;
  /** The part of the estimate that the call uses. */
  readonly percent: number;
}
const calls = fc.array(
  fc.record({
    feature: fc.nat({ max: 2 }),
    most: fc.integer({ min: 1, max: 40 }),
    percent: fc.integer({ min: 0, max: 100 }),
  }),
  { minLength: 200, maxLength: 200 },
);

test("200 concurrent calls of three replicas exceed no cap by more than one call", async () => {
  const capped = fc.integer({ min: 50, max: 2_000 });
  await fc.assert(
    fc.asyncProperty(calls, capped, capped, async (wanted, swarmCap, featureCap) => {
      const caps = { BUDGET_USD: swarmCap / 1_000, FEATURE_BUDGET_TOKENS: featureCap };
      await using swarm = await openSwarm(caps, { pollMs: 2 });
      const make = async ({ feature, most, percent }: Call, nth: number) => {
        const handle = (swarm.replicas[nth % 3] as Budgets).of({ featureId: `feature-${feature}` });
        const reserved = await handle.reserve({ costUsd: most / 1_000, tokens: most });
        if (reserved.kind === "exhausted") return { feature, used: 0, refused: reserved.why };
        const used = Math.round((most * percent) / 100);
        // Invariant I5 at any moment: the newest call was granted below the cap. One token is a thousandth of a dollar here.
        const now = (await swarm.first.read()).swarm;
        expect(now.spent.tokens + now.reserved.tokens).toBeLessThan(swarmCap + 40);
        await reserved.commitReservation({ costUsd: used / 1_000, tokensIn: used, tokensOut: 0 });
        await reserved.commitReservation({ costUsd: 1, tokensIn: 1_000, tokensOut: 0 });
        return { feature, used, refused: null };
      };
      const made = await Promise.all(wanted.map(make));
      const sumOf = (some: typeof made) => some.reduce((sum, { used }) => sum + used, 0);
      const state = await swarm.first.read("feature-0");
      expect(state.swarm.spent).toEqual({ costUsd: sumOf(made) / 1_000, tokens: sumOf(made) });
      expect(state.swarm.reserved).toEqual({ costUsd: 0, tokens: 0 });
      expect(sumOf(made)).toBeLessThan(swarmCap + 40);
      for (const feature of [0, 1, 2]) {
        const mine = made.filter((one) => one.feature === feature);
        expect(sumOf(mine)).toBeLessThan(featureCap + 40);
        // A call is refused only when a cap is used up by real usage, not by reservations of other calls.
        const refused = mine.some((one) => one.refused !== null);
        if (refused) expect(sumOf(mine) >= featureCap || sumOf(made) >= swarmCap).toBe(true);
      }
    }),
    { numRuns: 8, endOnFailure: true },
  );
});

test("a refusal names the used-up level and the setting that raises it", async () => {
  await using swarm = await openSwarm({ BUDGET_TOKENS: 1_000, FEATURE_BUDGET_USD: 0.5 });
  const spend = async (featureId: string, costUsd: number, tokens: number) => {
    const reserved = await swarm.first.of({ featureId }).reserve({ costUsd, tokens });
    if (reserved.kind === "granted")
      await reserved.commitReservation({ costUsd, tokensIn: tokens, tokensOut: 0 });
    return reserved;
  };
  await spend("a", 0.512345, 10);
  expect(await spend("a", 0.1, 10)).toEqual({
    kind: "exhausted",
    level: "feature",
    why: "FEATURE_BUDGET_USD=0.5 is used up (0.5123)",
  });
  expect(await swarm.first.usedUp("a")).toMatchObject({ level: "feature" });
  expect(await swarm.first.usedUp("b")).toBeNull();
  await spend("b", 0.1, 990);
  const why = "BUDGET_TOKENS=1000 is used up (1000)";
  expect(await spend("c", 0.1, 10)).toEqual({ kind: "exhausted", level: "swarm", why });
  expect(await swarm.first.usedUp("c")).toEqual({ level: "swarm", why });
});

test("an attempt is bounded by its own limits, and trunk health by no feature cap", async () => {
  await using swarm = await openSwarm({ FEATURE_BUDGET_TOKENS: 5 });
  const attempt = { taskId: "t", attempt: 1, limits: { costUsd: 0, tokens: 50 } };
  const handle = swarm.first.of({ featureId: TRUNK_HEALTH, attempt });
  const reserved = await handle.reserve({ costUsd: 9, tokens: 60 });
  if (reserved.kind === "granted")
    await reserved.commitReservation({ costUsd: 9, tokensIn: 60, tokensOut: 0 });
  expect(await handle.reserve({ costUsd: 0, tokens: 1 })).toMatchObject({ kind: "exhausted", level: "task" });
  const next = swarm.first.of({ featureId: TRUNK_HEALTH, attempt: { ...attempt, attempt: 2 } });
  expect(await next.reserve({ costUsd: 0, tokens: 1 })).toMatchObject({ kind: "granted" });
});

test("a feature's own cap takes precedence over the setting, and its newest version wins", async () => {
  await using swarm = await openSwarm({ FEATURE_BUDGET_TOKENS: 10, FEATURE_BUDGET_USD: 1 });
  const reserved = await swarm.first.of({ featureId: "a" }).reserve({ costUsd: 0, tokens: 20 });
  if (reserved.kind === "granted")
    await reserved.commitReservation({ costUsd: 0, tokensIn: 20, tokensOut: 0 });
  expect(await swarm.first.usedUp("a")).toMatchObject({ why: "FEATURE_BUDGET_TOKENS=10 is used up (20)" });
  await swarm.first.setFeatureCap("a", { tokens: 30 }, 2);
  await swarm.first.setFeatureCap("a", { tokens: 5 }, 1);
  expect(await swarm.replicas[2]?.usedUp("a")).toBeNull();
  expect((await swarm.first.read("a")).feature?.cap).toEqual({ usd: 1, tokens: 30 });
  await swarm.first.setFeatureCap("a", { tokens: 20 }, 3);
  expect(await swarm.first.usedUp("a")).toMatchObject({
    why: "the feature's budget.tokens=20 is used up (20)",
  });
});

test("a call waits while other reservations hold all that is left, unless it is aborted", async () => {
  await using swarm = await openSwarm({ BUDGET_TOKENS: 100 });
  const [one, other] = swarm.replicas as [Budgets, Budgets];
  const first = await one.of({}).reserve({ costUsd: 0, tokens: 100 });
  const stop = new AbortController();
  const aborted = other.of({}).reserve({ costUsd: 0, tokens: 1 }, stop.signal);
  const second = other.of({}).reserve({ costUsd: 0, tokens: 60 });
  stop.abort(new Error("aborted"));
  await expect(aborted).rejects.toThrow();
  expect((await one.read()).swarm).toMatchObject({ usedUp: null, reserved: { tokens: 100 } });
  if (first.kind === "granted") await first.commitReservation({ costUsd: 0, tokensIn: 99, tokensOut: 0 });
  expect(await second).toMatchObject({ kind: "granted" });
});

test("a reservation of a dead process expires, and one of a live process lasts as long as its call", async () => {
  const ttlMs = 1_000;
  await using swarm = await openSwarm({ BUDGET_TOKENS: 100 }, { ttlMs });
  const [dead, alive, other] = swarm.replicas as [Budgets, Budgets, Budgets];
  await dead.of({}).reserve({ costUsd: 0.5, tokens: 70 });
  const slow = await alive.of({}).reserve({ costUsd: 0.25, tokens: 20 });
  expect((await other.read()).swarm.reserved).toEqual({ costUsd: 0.75, tokens: 90 });
  // No renewals from here on, as after a kill.
  dead[Symbol.dispose]();
  await expect
    .poll(async () => (await other.read()).swarm.reserved, { timeout: 5_000 })
    .toEqual({
      costUsd: 0.25,
      tokens: 20,
    });
  const since = performance.now();
  while (performance.now() - since < 2 * ttlMs) expect((await other.read()).swarm.reserved.tokens).toBe(20);
  if (slow.kind === "granted") await slow.commitReservation({ costUsd: 0.1, tokensIn: 5, tokensOut: 6 });
  expect((await other.read()).swarm).toMatchObject({
    spent: { costUsd: 0.1, tokens: 11 },
    reserved: { costUsd: 0, tokens: 0 },
  });
});

test("a process that was suspended past the expiry still commits its usage once", async () => {
  await using swarm = await openSwarm({}, { ttlMs: 150 });
  const [sleeper, other] = swarm.replicas as [Budgets, Budgets];
  const reserved = await sleeper.of({ featureId: "a" }).reserve({ costUsd: 1, tokens: 10 });
  sleeper[Symbol.dispose]();
  await expect.poll(async () => (await other.read("a")).feature?.reserved.tokens).toBe(0);
  if (reserved.kind !== "granted") throw new Error("not granted");
  await reserved.commitReservation({ costUsd: 0.5, tokensIn: 4, tokensOut: 0 });
  await reserved.commitReservation({ costUsd: 0.5, tokensIn: 4, tokensOut: 0 });
  const { feature, swarm: all } = await other.read("a");
  expect([feature, all]).toMatchObject([
    { spent: { costUsd: 0.5, tokens: 4 }, reserved: { tokens: 0 } },
    { spent: { costUsd: 0.5, tokens: 4 }, reserved: { tokens: 0 } },
  ]);
});

test("expired reservations are removed after a day", async () => {
  await using swarm = await openSwarm({});
  const [connection] = swarm.connections as [QueueConnection];
  const key = connection.key("budget", "swarm", "reserved");
  const hourMs = 3_600_000;
  const now = await connection.now();
  for (const at of [now - 25 * hourMs, now - 23 * hourMs])
    await connection.redis.zadd(key, -at, `at-${at}|1|1`);
  await swarm.first.read();
  expect(await connection.redis.zrange(key, 0, "-1")).toEqual([`at-${now - 23 * hourMs}|1|1`]);
});

test("a command that is repeated because its answer was lost counts once", async () => {
  await using swarm = await openSwarm({});
  await using proxy = await openTcpProxy(new URL(redis.url));
  const at = {
    redisUrl: proxy.url,
    service: "test",
    prefix: `${redis.prefix}-${swarms}`,
    onError: () => undefined,
  };
  await using connection = await openQueue(at);
  using far = openBudgets(connection, {});
  const state = async () => (await swarm.first.read("a")).feature;

  proxy.swallowAnswers();
  const reserving = far.of({ featureId: "a" }).reserve({ costUsd: 1, tokens: 10 });
  await expect.poll(async () => (await state())?.reserved.tokens).toBe(10);
  proxy.cut();
  const reserved = await reserving;
  expect((await state())?.reserved).toEqual({ costUsd: 1, tokens: 10 });

  if (reserved.kind !== "granted") throw new Error("not granted");
  proxy.swallowAnswers();
  const settling = reserved.commitReservation({ costUsd: 0.5, tokensIn: 4, tokensOut: 0 });
  await expect.poll(async () => (await state())?.spent.tokens).toBe(4);
  proxy.cut();
  await settling;
  expect(await state()).toMatchObject({
    spent: { costUsd: 0.5, tokens: 4 },
    reserved: { costUsd: 0, tokens: 0 },
  });
});

test.each([
  ["negative", -0.5, -500, -500],
  ["not a number", Number.NaN, Number.NaN, 0],
  ["endless", Infinity, Infinity, Infinity],
])("a usage that is %s is charged as it was reserved", async (_, costUsd, tokensIn, tokensOut) => {
  await using swarm = await openSwarm({});
  for (let nth = 1; nth <= 2; nth += 1) {
    const reserved = await swarm.first.of({ featureId: "a" }).reserve({ costUsd: 0.25, tokens: 10 });
    if (reserved.kind === "granted") await reserved.commitReservation({ costUsd, tokensIn, tokensOut });
    const stand = {
      spent: { costUsd: nth * 0.25, tokens: nth * 10 },
      reserved: { costUsd: 0, tokens: 0 },
    };
    expect(await swarm.first.read("a")).toMatchObject({ swarm: stand, feature: stand });
  }
});

test("a commit that Redis refuses is retried, and a reservation waits until Redis takes writes", async () => {
  await using own = await startRedis({ exclusive: "the server refuses writes" });
  await using swarm = await openSwarm({}, { ttlMs: 150 }, own);
  const { redis: client } = swarm.connections[1] as QueueConnection;
  const refuseWrites = (refuse: boolean) => client.config("SET", "min-replicas-to-write", refuse ? "1" : "0");
  const refusals = async () =>
    Number(/errorstat_NOREPLICAS:count=(\d+)/.exec(await client.info("errorstats"))?.[1] ?? 0);
  const state = async () => (await swarm.first.read()).swarm;

  const reserved = await swarm.first.of({}).reserve({ costUsd: 1, tokens: 10 });
  await refuseWrites(true);
  if (reserved.kind === "granted")
    await reserved.commitReservation({ costUsd: 0.5, tokensIn: 3, tokensOut: 1 });
  expect((await state()).spent.tokens).toBe(0);
  await refuseWrites(false);
  await expect.poll(async () => (await state()).spent.tokens).toBe(4);

  const before = await refusals();
  await refuseWrites(true);
  const next = swarm.first.of({}).reserve({ costUsd: 1, tokens: 10 });
  await expect.poll(refusals).toBeGreaterThan(before);
  await refuseWrites(false);
  expect(await next).toMatchObject({ kind: "granted" });
});
