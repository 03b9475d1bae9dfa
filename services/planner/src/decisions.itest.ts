import { afterAll, beforeAll, expect, test } from "vitest";
import { jobId, type DecisionAnswer } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";
import { bullQueue } from "../../../test/support/queue.ts";
import { openTestConnection } from "../../../test/support/test-connection.ts";
import { byKey, commit, DEFAULTS, feature, handoffOf, OUTCOMES, planned } from "../testing/make-ledger.ts";
import { openContext } from "../testing/open-context.ts";
import { readWhole } from "../testing/read-whole.ts";
import { askAboutOlderHolds, auditDecisions } from "./audit-decisions.ts";
import { step } from "./carry-out.ts";
import type { PlannerContext } from "./context.ts";
import { handlePlan } from "./handle-plan.ts";
import { absorbHandoff } from "./ledger/absorb-handoff.ts";
import { adoptPlan } from "./ledger/adopt-plan.ts";
import { newLedger, type Ledger } from "./ledger/ledger.ts";
import { cancelFeature } from "./ledger/person-actions.ts";
import { dueDecisionsKey, ledgerBase, openReviewsKey } from "./ledger/stored-ledger.ts";
import type { TaskRecord } from "./ledger/task-record.ts";

const HOUR_MS = 3_600_000;

let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
});

let features = 0;

/** A feature whose only task is held. */
async function hold(ctx: PlannerContext) {
  features += 1;
  const own = { ...feature, id: `held-${features}` };
  await step(ctx, own.id, () => newLedger(own, "one"));
  await step(ctx, own.id, (now) => now && adoptPlan(now, [planned("a")], DEFAULTS));
  const read = async (): Promise<Ledger> => {
    const ledger = await readWhole(connection, own.id);
    if (ledger === undefined) throw new Error("there is no ledger");
    return ledger;
  };
  const { task } = byKey(await read(), "a");
  const handoff = handoffOf(byKey(await read(), "a"), 1);
  await step(ctx, own.id, (now) => now && absorbHandoff(now, handoff, OUTCOMES.held), [task.id]);
  const decision = async () => {
    const found = byKey(await read(), "a").decisions.at(-1);
    if (found === undefined) throw new Error("nobody is asked");
    return found;
  };
  const { id: decisionId } = await decision();
  const stateOf = (nth: number) => bullQueue(connection, "plan").getJobState(jobId.due(decisionId, nth));
  return { id: own.id, taskId: task.id, decisionId, decision, read, stateOf };
}

const given = (by: string): Omit<DecisionAnswer, "at"> => ({
  id: `a-${by}`,
  by,
  via: "rest",
  role: "reviewer",
  option: "approve",
  text: "",
  head: commit,
});
/** Changes the record of a task as no step does. */
async function rewrite(featureId: string, taskId: string, change: (record: TaskRecord) => TaskRecord) {
  const key = `${ledgerBase(connection, featureId)}:tasks`;
  const record = JSON.parse((await connection.redis.hget(key, taskId)) ?? "{}") as TaskRecord;
  await connection.redis.hset(key, taskId, JSON.stringify(change(record)));
}

const indexed = async (featureId: string, decisionId: string) => ({
  due: await connection.redis.zscore(dueDecisionsKey(connection), `${featureId} ${decisionId}`),
  review: await connection.redis.sismember(openReviewsKey(connection), decisionId),
});

test("50 answers at once over two planners: one wins, each of the others is refused with the name of the winner", async () => {
  await using one = openContext(connection);
  await using two = openContext(connection);
  const { id: featureId, decisionId, decision, read, stateOf } = await hold(one.ctx);
  expect(await indexed(featureId, decisionId)).toMatchObject({ review: 1 });
  expect(await stateOf(0)).toBe("delayed");
  const people = Array.from({ length: 50 }, (_, nth) => `p${nth}`);
  const events = new Map<string, unknown>();
  for (const { ctx } of [one, two])
    Object.assign(ctx.sender, {
      event: async (event: { id: string; type: string; data: unknown }) => {
        if (event.type === "answer.refused") events.set(event.id, event.data);
      },
    });
  await Promise.all(
    [...people, ...people.slice(0, 10)].map((by, nth) =>
      handlePlan(
        (nth % 2 === 0 ? one : two).ctx,
        { kind: "answer", featureId, decisionId, answer: given(by) },
        `m-${nth}`,
      ),
    ),
  );
  const { answers, state } = await decision();
  expect([answers.length, state]).toEqual([1, "answered"]);
  const winner = answers[0]?.by ?? "";
  expect(byKey(await read(), "a")).toMatchObject({ status: "sent", round: 2, approvedBy: winner });
  expect(events.size).toBe(49);
  for (const data of events.values())
    expect(data).toMatchObject({
      code: "decided-already",
      why: expect.stringMatching(`^${winner} answered`) as string,
    });
  expect(await indexed(featureId, decisionId)).toEqual({ due: null, review: 0 });
  // Nothing is due about it any more.
  expect(await stateOf(0)).toBe("unknown");
});

test("a reminder whose message got lost is given by the audit, and its follow-up is a message again", async () => {
  await using open = openContext(connection);
  const { ctx } = open;
  const { id: featureId, taskId, decisionId, decision, stateOf } = await hold(ctx);
  await bullQueue(connection, "plan").remove(jobId.due(decisionId, 0));
  const now = await connection.now();
  // More than half of its time is over, and not three quarters.
  await rewrite(featureId, taskId, (record) => ({
    ...record,
    decisions: record.decisions.map((one) => ({ ...one, askedAt: now - HOUR_MS, dueAt: now + HOUR_MS / 2 })),
  }));
  await auditDecisions(ctx);
  expect((await decision()).reminded).toBe(0);
  await connection.redis.zadd(dueDecisionsKey(connection), now, `${featureId} ${decisionId}`);
  await auditDecisions(ctx);
  expect((await decision()).reminded).toBe(1);
  expect(await stateOf(1)).toBe("delayed");
  await step(ctx, featureId, (now) => now && cancelFeature(now, "ada", 1));
  await ctx.ledgers.followUp(featureId);
  expect(await decision()).toMatchObject({ state: "withdrawn" });
  expect(await indexed(featureId, decisionId)).toEqual({ due: null, review: 0 });
});

test("people are asked about the held tasks of an earlier version when a planner starts", async () => {
  await using open = openContext(connection);
  const { ctx } = open;
  const { id: featureId, taskId, read } = await hold(ctx);
  // Steps ask at once, so the record of the earlier version is put there by hand.
  await rewrite(featureId, taskId, (record) => ({ ...record, decisions: [] }));
  expect(byKey(await read(), "a").decisions).toEqual([]);
  await askAboutOlderHolds(ctx);
  expect(byKey(await read(), "a").decisions).toMatchObject([{ kind: "landing", state: "open" }]);
});
