import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import type { MergeOutcome } from "@agentswarm/contracts";
import {
  nextNumber,
  openBudgets,
  openDocuments,
  openQueue,
  openTasksInUse,
  type Budgets,
  type QueueConnection,
} from "@agentswarm/queue";
import { createLogger } from "@agentswarm/service";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { openTestLedgers, type TestLedgers } from "../testing/ledgers.ts";
import { byKey, DEFAULTS, feature, handoffOf, OUTCOMES, planned } from "../testing/make-ledger.ts";
import { readWhole } from "../testing/read-whole.ts";
import { absorbHandoff } from "./ledger/absorb-handoff.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { newLedger, type Ledger } from "./ledger/ledger.ts";
import { cancelFeature } from "./ledger/person-actions.ts";
import { removeOldFeatures, tellTasksInUse } from "./removals.ts";

const running = new AbortController().signal;
let redis: TestRedis;
let connection: QueueConnection;
let budgets: Budgets;
let ledgers: TestLedgers;
beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "planner" });
  budgets = openBudgets(connection, {});
  ledgers = openTestLedgers(connection);
});
afterAll(async () => {
  budgets?.[Symbol.dispose]();
  await connection?.[Symbol.asyncDispose]();
  await redis?.stop();
});

const log = createLogger({ service: "test", level: "fatal" });
const contextOf = () => ({
  connection,
  ledgers: ledgers.store,
  budgets,
  surveys: openDocuments(connection, "surveys", z.string()),
  log,
});

/** A feature that is being built by a plan of these tasks. */
async function build(id: string, ...keys: string[]): Promise<void> {
  const plan = keys.map((key) => planned(key));
  await ledgers.step(id, () => newLedger({ ...feature, id }, "one"));
  await ledgers.step(id, (now) => now && adoptPlan(now, plan, DEFAULTS));
}

async function whole(id: string): Promise<Ledger> {
  const found = await readWhole(connection, id);
  if (found === undefined) throw new Error(`there is no ledger of ${id}`);
  return found;
}

async function handOver(id: string, key: string, outcome: MergeOutcome): Promise<void> {
  const record = byKey(await whole(id), key);
  const handoff = handoffOf(record, 1);
  await ledgers.step(id, (now) => now && absorbHandoff(now, handoff, outcome), [record.task.id]);
}

test("the tasks in use are those that may land yet, and the sides of conflicts that are being resolved", async () => {
  await build("feature-open", "sent", "held", "conflicted", "landed");
  await handOver("feature-open", "held", OUTCOMES.held);
  await handOver("feature-open", "conflicted", OUTCOMES.conflict);
  await handOver("feature-open", "landed", OUTCOMES.landed);
  await build("feature-cancelled", "called-off");
  await ledgers.step("feature-cancelled", (now) => now && cancelFeature(now, "somebody", 5));

  await tellTasksInUse(contextOf());
  const { tasks } = await whole("feature-open");
  const resolve = tasks.find(({ task }) => task.kind === "resolve")?.task.id;
  const inUse = await openTasksInUse(connection).read(60_000);
  const idOf = (key: string) => tasks.find(({ task }) => task.key === key)?.task.id;
  expect(inUse).toEqual(new Set([idOf("sent"), idOf("held"), idOf("conflicted"), resolve]));
});

test("of a feature that ended long ago nothing is left in Redis, and one that is open or newer stays whole", async () => {
  const keysOf = async (id: string) =>
    (await connection.redis.keys("*")).filter((key) => key.includes(id)).toSorted();
  const ended = Array.from({ length: 102 }, (_, nth) => ({ id: `feature-ended-${nth}`, at: 100 + nth }));
  for (const { id, at } of ended) {
    await build(id, "a");
    await ledgers.step(id, (now) => now && cancelFeature(now, "somebody", at));
  }
  const ctx = contextOf();
  const [oldest] = ended;
  const id = oldest?.id ?? "";
  await ctx.surveys.update(id, () => "what there is");
  await budgets.setFeatureCap(id, { usd: 5 }, 1);
  const [taskId = ""] = await ledgers.store.taskIds(id);
  await nextNumber(connection, `attempts-${taskId}`, 0);
  const open = await keysOf("feature-open");

  // Of those that ended before 150 the newest hundred stay: with the one of the test before there are 103 in all.
  expect(await removeOldFeatures(ctx, 150, running)).toBe(3);
  expect(await keysOf(`${id}:`)).toEqual([]);
  expect(await keysOf(`feature-${id}`)).toEqual([]);
  expect(await ctx.surveys.get(id)).toBeNull();
  expect(await connection.redis.hkeys(connection.key("counters"))).toEqual([]);
  const left = await ledgers.store.ids();
  expect(left).toHaveLength(101);
  expect(left).toContain("feature-ended-2");
  expect(await keysOf("feature-open")).toEqual(open);
  expect(await removeOldFeatures(ctx, 150, running)).toBe(0);
});

test("a feature that was reopened meanwhile is not forgotten", async () => {
  const before = await ledgers.store.get("feature-ended-50");
  await ledgers.step("feature-ended-50", (now) => now && { ...now, status: "building", finishedAt: null });
  expect(before && (await ledgers.store.forget(before))).toBe(false);
  expect(await ledgers.store.taskIds("feature-ended-50")).toHaveLength(1);
});
