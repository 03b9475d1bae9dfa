import type { PlanMessage } from "@agentswarm/contracts";
import { openQueue, type QueueConnection } from "@agentswarm/queue";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bullQueue, pendingBodies } from "../../../test/support/queue.ts";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { openContext, type OpenContext } from "../testing/open-context.ts";
import { building } from "../testing/make-ledger.ts";
import { forgetPauses } from "./apply-pause.ts";
import { step } from "./carry-out.ts";
import { handlePlan } from "./handle-plan.ts";

let redis: TestRedis;
let connection: QueueConnection;
let opened: OpenContext;

beforeAll(async () => {
  redis = await startRedis();
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "planner" });
  opened = openContext(connection);
});
afterAll(async () => {
  await opened[Symbol.asyncDispose]();
  await connection[Symbol.asyncDispose]();
  await redis.stop();
});

type Scope = Extract<PlanMessage, { kind: "pause" }>["scope"];
const send = (scope: Scope, paused: boolean, by = "ada") =>
  handlePlan(opened.ctx, { kind: "pause", scope, paused, why: "an incident", by, via: "cli" }, "message");
const events = async () => {
  const bodies = (await pendingBodies(connection, "event")) as { type: string; data: { scope?: unknown } }[];
  return bodies
    .filter(({ type }) => type.startsWith("work."))
    .map(({ type, data }) => [type, data.scope] as const);
};

test("the swarm is paused and resumed, each once however often the message comes", async () => {
  const scope = { kind: "swarm" } as const;
  for (const by of ["ada", "ada", "bob"]) await send(scope, true, by);
  expect(await opened.ctx.pauses.read(scope)).toMatchObject({ by: "ada", via: "cli", why: "an incident" });
  expect(await bullQueue(connection, "task").isPaused()).toBe(true);
  for (const by of ["bob", "bob"]) await send(scope, false, by);
  expect(await opened.ctx.pauses.read(scope)).toBeNull();
  expect(await bullQueue(connection, "task").isPaused()).toBe(false);
  const emitted = await events();
  expect(emitted).toHaveLength(2);
  expect(Object.fromEntries(emitted)).toEqual({ "work.paused": scope, "work.resumed": scope });
});

test("a feature is paused in its ledger and for those who begin its tasks, until it is resumed or has ended", async () => {
  const { ctx } = opened;
  const ledger = building();
  const scope = { kind: "feature", featureId: ledger.feature.id } as const;
  await step(ctx, ledger.feature.id, () => ledger);
  await send(scope, true);
  expect((await ctx.ledgers.get(scope.featureId))?.paused).toMatchObject({ by: "ada" });
  await expect(ctx.pauses.requireNone(scope.featureId)).rejects.toMatchObject({ code: "work.paused" });
  await send(scope, false);
  expect((await ctx.ledgers.get(scope.featureId))?.paused).toBeNull();
  await ctx.pauses.requireNone(scope.featureId);

  await send(scope, true);
  await forgetPauses(ctx);
  expect(await ctx.pauses.read(scope)).not.toBeNull();
  const cancel = { kind: "cancel", featureId: scope.featureId, why: "", by: "ada", via: "cli" } as const;
  await handlePlan(ctx, cancel, "message");
  await forgetPauses(ctx);
  expect(await ctx.pauses.read(scope)).toBeNull();
});
