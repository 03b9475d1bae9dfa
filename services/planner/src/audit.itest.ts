import { afterAll, beforeAll, expect, test } from "vitest";
import { jobId } from "@agentswarm/contracts";
import { acquireLease, openQueue, type QueueConnection } from "@agentswarm/queue";
import { bullQueue } from "../../../test/support/queue.ts";
import { startRedis, type TestRedis } from "../../../test/support/redis.ts";
import { byKey, DEFAULTS, feature, handoffOf, OUTCOMES, planned } from "../testing/make-ledger.ts";
import { openContext } from "../testing/open-context.ts";
import { readWhole } from "../testing/read-whole.ts";
import { audit } from "./audit.ts";
import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { handlePlan } from "./handle-plan.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { newLedger } from "./ledger/ledger.ts";
import { cancelFeature } from "./ledger/person-actions.ts";
import { ledgerBase } from "./ledger/stored-ledger.ts";
import type { PlannedTask } from "./ledger/validate-plan.ts";

let redis: TestRedis;
let connection: QueueConnection;
beforeAll(async () => {
  redis = await startRedis({ exclusive: "it counts the commands of the server" });
  connection = await openQueue({ redisUrl: redis.url, prefix: redis.prefix, service: "test" });
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await redis.stop();
});

let features = 0;

/** A feature that is being built by this plan. */
async function build(ctx: PlannerContext, plan: readonly PlannedTask[]) {
  features += 1;
  const own = { ...feature, id: `feature-${features}` };
  await step(ctx, own.id, () => newLedger(own, "one"));
  await step(ctx, own.id, (now) => now && adoptPlan(now, plan, DEFAULTS));
  const read = async () => {
    const ledger = await readWhole(connection, own.id);
    if (ledger === undefined) throw new Error("there is no ledger");
    return ledger;
  };
  return { id: own.id, read, key: (name: string) => `${ledgerBase(connection, own.id)}:${name}` };
}

const stateOf = (taskId: string, round = 1) =>
  bullQueue(connection, "task").getJobState(jobId.task(taskId, round));

test("a task is sent again when two audits in a row do not find its job, not when one does not", async () => {
  await using open = openContext(connection);
  const { ctx } = open;
  const { read } = await build(ctx, [planned("a")]);
  const { id } = byKey(await read(), "a").task;
  const remove = () => bullQueue(connection, "task").remove(jobId.task(id, 1));
  await remove();
  await audit(ctx);
  expect(await stateOf(id)).toBe("unknown");
  await audit(ctx);
  expect(await stateOf(id)).toBe("prioritized");
  await audit(ctx);
  await remove();
  // It was found in between, so this is the first audit that misses it.
  await audit(ctx);
  expect(await stateOf(id)).toBe("unknown");
  await audit(ctx);
  expect(await stateOf(id)).toBe("prioritized");
});

test("a task whose work is with the merger or in a handoff is not sent again", async () => {
  await using open = openContext(connection);
  const { ctx } = open;
  const { read } = await build(ctx, [planned("a"), planned("b")]);
  const { tasks } = await read();
  for (const { task } of tasks) await bullQueue(connection, "task").remove(jobId.task(task.id, 1));
  const [a = "", b = ""] = tasks.map(({ task }) => task.id);
  await bullQueue(connection, "merge").add("merge", {}, { jobId: jobId.merge(a, 1) });
  await bullQueue(connection, "plan").add("plan", {}, { jobId: jobId.handoff(b, 1) });
  for (let nth = 0; nth < 3; nth += 1) await audit(ctx);
  expect([await stateOf(a), await stateOf(b)]).toEqual(["unknown", "unknown"]);
  await bullQueue(connection, "merge").obliterate({ force: true });
  await bullQueue(connection, "plan").obliterate({ force: true });
});

test("an audit reads the ids of jobs and not their messages, however many features wait for their landings", async () => {
  await using open = openContext(connection);
  const { ctx } = open;
  const hashReads = async () => {
    const stats = await connection.redis.info("commandstats");
    return Number(/cmdstat_hgetall:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  await build(ctx, [planned("a")]);
  const readsOfOne = async () => {
    const before = await hashReads();
    await audit(ctx);
    return (await hashReads()) - before;
  };
  const few = await readsOfOne();
  for (let nth = 0; nth < 50; nth += 1)
    await bullQueue(connection, "merge").add("merge", {}, { jobId: jobId.merge(`t-${nth}`, 1) });
  expect(await readsOfOne()).toBe(few);
  await bullQueue(connection, "merge").obliterate({ force: true });
});

test("over all planners one audit runs at a time", async () => {
  await using open = openContext(connection);
  const { ctx } = open;
  const { read } = await build(ctx, [planned("a")]);
  const { id } = byKey(await read(), "a").task;
  await bullQueue(connection, "task").remove(jobId.task(id, 1));
  {
    await using other = await acquireLease(connection, "audit", 30_000);
    expect(other).not.toBeNull();
    for (let nth = 0; nth < 2; nth += 1) await audit(ctx);
    expect(await stateOf(id)).toBe("unknown");
  }
  for (let nth = 0; nth < 2; nth += 1) await audit(ctx);
  expect(await stateOf(id)).toBe("prioritized");
});

test("a task that is cancelled while it is being sent leaves the queue", async () => {
  await using open = openContext(connection);
  await using other = openContext(connection);
  const own = { ...feature, id: "feature-meanwhile" };
  await step(open.ctx, own.id, () => newLedger(own, "one"));
  const { sender } = open.ctx;
  const sentLate: PlannerContext["sender"] = {
    ...sender,
    async send(queue, body, options) {
      // The other planner's cancel comes before the job exists.
      if (queue === "task") await step(other.ctx, own.id, (now) => now && cancelFeature(now, "ada", 1));
      await sender.send(queue, body, options);
    },
  };
  await step(
    { ...open.ctx, sender: sentLate },
    own.id,
    (now) => now && adoptPlan(now, [planned("a")], DEFAULTS),
  );
  const ledger = await readWhole(connection, own.id);
  expect(ledger).toMatchObject({ status: "cancelled", tasks: [{ status: "cancelled", round: 1 }] });
  expect(await stateOf(ledger?.tasks[0]?.task.id ?? "")).toBe("unknown");
});

test.each([
  ["is no JSON", "{"],
  ["fits no schema", `{"documentVersion":1,"status":"unheard-of"}`],
])("a task whose record %s is set aside and told once; its feature and the others go on", async (_, text) => {
  await using open = openContext(connection);
  const { ctx, lines } = open;
  const { id, read, key } = await build(ctx, [
    planned("a"),
    planned("b", "a"),
    planned("c", "a"),
    planned("d", "b", "a"),
  ]);
  const { tasks } = await read();
  const [a, b, c, d] = tasks;
  if (!a || !b || !c || !d) throw new Error("no tasks");
  await connection.redis.hset(key("tasks"), b.task.id, text);
  const other = await build(ctx, [planned("a")]);
  const { task } = byKey(await other.read(), "a");
  await bullQueue(connection, "task").remove(jobId.task(task.id, 1));
  await handlePlan(
    ctx,
    { kind: "handoff", featureId: id, handoff: handoffOf(a, 1), outcome: OUTCOMES.landed },
    "m-1",
  );
  expect(await stateOf(c.task.id)).toBe("prioritized");
  // What depends on it neither begins nor is given up.
  expect(await connection.redis.zrange(key("list:planned"), "0", "-1")).toContain(d.task.id);
  for (let nth = 0; nth < 2; nth += 1) await audit(ctx);
  expect(await stateOf(task.id)).toBe("prioritized");
  expect(lines.filter(({ msg }) => msg.includes("CANNOT BE READ"))).toMatchObject([
    { featureId: id, taskId: b.task.id },
  ]);
  const shown = (await bullQueue(connection, "event").getJobs()).map((job) => job.data.body);
  expect(shown).toContainEqual(
    expect.objectContaining({
      type: "task.changed",
      taskId: b.task.id,
      data: expect.objectContaining({ status: "held", reason: expect.stringContaining("set aside") }),
    }),
  );
  // The record is as it was, so that it can be repaired, and its own messages become dead letters.
  expect(await connection.redis.hget(key("tasks"), b.task.id)).toBe(text);
  const own = {
    kind: "handoff" as const,
    featureId: id,
    handoff: handoffOf({ ...b, round: 1 }, 1),
    outcome: null,
  };
  await expect(handlePlan(ctx, own, "m-2")).rejects.toMatchObject({ retryable: false });
});

test("a feature whose head cannot be read is set aside and told once; the others go on", async () => {
  await using open = openContext(connection);
  const { ctx, lines } = open;
  const { id, key } = await build(ctx, [planned("a")]);
  await connection.redis.hset(key("head"), "document", `{"documentVersion":1}`);
  const other = await build(ctx, [planned("a")]);
  const { task } = byKey(await other.read(), "a");
  await bullQueue(connection, "task").remove(jobId.task(task.id, 1));
  for (let nth = 0; nth < 2; nth += 1) await audit(ctx);
  expect(await stateOf(task.id)).toBe("prioritized");
  expect(
    lines.filter(({ msg, featureId }) => msg.includes("CANNOT BE READ") && featureId === id),
  ).toHaveLength(1);
  await expect(
    handlePlan(ctx, { kind: "cancel", featureId: id, by: "ada", via: "rest", why: "" }, "m-1"),
  ).rejects.toThrow("cannot be read");
  const shown = (await bullQueue(connection, "event").getJobs()).map((job) => job.data.body);
  expect(shown).toContainEqual(
    expect.objectContaining({
      type: "feature.changed",
      featureId: id,
      data: expect.objectContaining({ status: "held" }),
    }),
  );
});

test("a ledger of version 0.1 that cannot be read stays where it is and is reported once; the others are moved", async () => {
  await using open = openContext(connection);
  const { ctx, lines } = open;
  const [values, versions] = [
    connection.key("documents", "ledger"),
    connection.key("documents", "ledger", "versions"),
  ];
  for (const [id, ledger] of [
    ["feature-old", newLedger({ ...feature, id: "feature-old" }, "one")],
    ["feature-odd", { status: "unheard-of" }],
  ] as const) {
    await connection.redis.hset(values, id, JSON.stringify(ledger));
    await connection.redis.hset(versions, id, 7);
  }
  for (let nth = 0; nth < 2; nth += 1) await audit(ctx);
  expect(await connection.redis.hkeys(values)).toEqual(["feature-odd"]);
  expect(await ctx.ledgers.get("feature-old")).toMatchObject({
    status: "queued",
    rest: { revision: 7, headVersion: 7 },
  });
  expect(
    lines.filter(({ msg, featureId }) => msg.includes("CANNOT BE READ") && featureId === "feature-odd"),
  ).toHaveLength(1);
  await connection.redis.del(values, versions);
});

test("what a newer planner wrote is left as it is, and its messages are put back", async () => {
  await using open = openContext(connection);
  const { ctx, lines } = open;
  const { id, key, read } = await build(ctx, [planned("a")]);
  const a = byKey(await read(), "a");
  const newer = (text: string | null) =>
    JSON.stringify({ ...JSON.parse(text ?? ""), documentVersion: 2, added: true });
  const text = newer(await connection.redis.hget(key("tasks"), a.task.id));
  await connection.redis.hset(key("tasks"), a.task.id, text);
  const handoff = {
    kind: "handoff" as const,
    featureId: id,
    handoff: handoffOf(a, 1),
    outcome: OUTCOMES.landed,
  };
  await expect(handlePlan(ctx, handoff, "m-1")).rejects.toMatchObject({ retryable: true });
  expect(await connection.redis.hget(key("tasks"), a.task.id)).toBe(text);
  const head = newer(await connection.redis.hget(key("head"), "document"));
  await connection.redis.hset(key("head"), "document", head);
  await expect(
    handlePlan(ctx, { kind: "cancel", featureId: id, by: "ada", via: "rest", why: "" }, "m-2"),
  ).rejects.toMatchObject({
    retryable: true,
  });
  for (let nth = 0; nth < 2; nth += 1) await audit(ctx);
  expect(await connection.redis.hget(key("head"), "document")).toBe(head);
  expect(lines.filter(({ msg, featureId }) => msg.includes("CANNOT BE READ") && featureId === id)).toEqual(
    [],
  );
});

test("a record that could not be read again is not written", async () => {
  await using open = openContext(connection);
  const { ctx } = open;
  const { id, read } = await build(ctx, [planned("a")]);
  const before = await read();
  const odd = {
    ...handoffOf(byKey(before, "a"), 1),
    metrics: { ...handoffOf(byKey(before, "a"), 1).metrics, tokensIn: 0.5 },
  };
  const message = { kind: "handoff" as const, featureId: id, handoff: odd, outcome: OUTCOMES.landed };
  await expect(handlePlan(ctx, message, "m-1")).rejects.toThrow("could not be read again");
  expect(await read()).toEqual(before);
});
