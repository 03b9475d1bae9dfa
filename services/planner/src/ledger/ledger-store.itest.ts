import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { type QueueConnection } from "@agentswarm/queue";
import { openTestConnection } from "../../../../test/support/test-connection.ts";
import { openTestLedgers } from "../../testing/ledgers.ts";
import {
  apply,
  byKey,
  DEFAULTS,
  feature,
  handoffOf,
  OUTCOMES,
  planned,
  statuses,
} from "../../testing/make-ledger.ts";
import { readWhole, withoutTimes } from "../../testing/read-whole.ts";
import { absorbHandoff } from "./absorb-handoff.ts";
import { adoptPlan } from "./adopt-plan.ts";
import type { LedgerStep } from "./apply-step.ts";
import { decideNext } from "./decide-next.ts";
import { retry } from "./decide-retry.ts";
import { countOf, findRecord } from "./find-tasks.ts";
import { newLedger, type Ledger } from "./ledger.ts";
import { decideHeld } from "./decisions/held-landing.ts";
import { cancelFeature, retryTask } from "./person-actions.ts";
import { takeStep } from "./steps.ts";
import { ledgerBase } from "./stored-ledger.ts";
import { isUnderWay } from "./task-record.ts";
import type { PlannedTask } from "./validate-plan.ts";

let connection: QueueConnection;
beforeAll(async () => {
  connection = await openTestConnection();
  return () => connection[Symbol.asyncDispose]();
});

let features = 0;
const nextFeature = () => {
  features += 1;
  return { ...feature, id: `feature-${features}` };
};

/** A feature that is being built by this plan, in Redis. */
async function build(plan: readonly PlannedTask[], adopt: LedgerStep = (now) => now) {
  const ledgers = openTestLedgers(connection);
  const own = nextFeature();
  await ledgers.step(own.id, () => newLedger(own, "one"));
  await ledgers.step(own.id, (now, facts) => now && adopt(adoptPlan(now, plan, DEFAULTS), facts));
  const read = async (): Promise<Ledger> => {
    const found = await readWhole(connection, own.id);
    if (found === undefined) throw new Error("there is no ledger");
    return found;
  };
  return { ...ledgers, ledgers, id: own.id, read };
}

const ENDINGS = {
  ...OUTCOMES,
  again: { kind: "already-landed", commit: "e".repeat(40) },
  nothing: null,
} as const;
const NO_MONEY = { level: "swarm", why: "BUDGET_USD=5 is used up (5.02)" } as const;
const KINDS = [
  "handoff",
  "handoff",
  "handoff",
  "handoff",
  "gone",
  "approve",
  "refuse",
  "retry",
  "money",
  "cancel",
] as const;

const stories = fc.record({
  plan: fc.array(fc.uniqueArray(fc.nat({ max: 4 }), { maxLength: 2 }), { minLength: 1, maxLength: 6 }),
  messages: fc.array(
    fc.record({
      kind: fc.constantFrom(...KINDS),
      nth: fc.nat({ max: 20 }),
      attempt: fc.integer({ min: 1, max: 5 }),
      ending: fc.constantFrom(...(Object.keys(ENDINGS) as (keyof typeof ENDINGS)[])),
    }),
    { maxLength: 25 },
  ),
});
type Message = (typeof stories extends fc.Arbitrary<infer T> ? T : never)["messages"][number];

/** What a message does to a ledger in this state; null: nothing. */
function stepFor(
  ledger: Ledger,
  { kind, nth, attempt, ending }: Message,
): { step: LedgerStep; about: string[] } | null {
  const record = ledger.tasks[nth % ledger.tasks.length];
  if (record === undefined) return null;
  const { id } = record.task;
  const about = [id];
  switch (kind) {
    case "handoff": {
      if (record.round === 0) return null;
      const handoff = handoffOf(record, attempt);
      return { step: (now) => now && absorbHandoff(now, handoff, ENDINGS[ending]), about };
    }
    case "gone":
      if (!isUnderWay(record)) return null;
      return {
        step: (now) => {
          const found = now && findRecord(now, id);
          return now && found ? retry(now, found, "it got lost", "crashes") : now;
        },
        about,
      };
    case "approve":
    case "refuse":
      return {
        step: (now, facts) =>
          now &&
          decideHeld(now, { kind: "approve", taskId: id, decision: kind, by: "ada", via: "rest" }, facts),
        about,
      };
    case "retry":
      return { step: (now) => now && retryTask(now, id, "ada"), about };
    case "cancel":
      return nth > 2 ? null : { step: (now) => now && cancelFeature(now, "ada", 1), about: [] };
    case "money":
      return { step: (now) => now, about: [] };
  }
}

test("a ledger in Redis, read piece by piece, goes through the same states as one that is read whole", async () => {
  await fc.assert(
    fc.asyncProperty(stories, async ({ plan, messages }) => {
      const tasks = plan.map((earlier, nth) =>
        planned(`t${nth}`, ...earlier.filter((one) => one < nth).map((one) => `t${one}`)),
      );
      const stored = await build(tasks);
      const own = { ...feature, id: stored.id };
      let whole = apply(newLedger(own, "one"), (now) => adoptPlan(now, tasks, DEFAULTS));
      const both = async (step: LedgerStep, about: readonly string[]) => {
        whole = apply(whole, (now, facts) => step(now, facts) ?? now, stored.ledgers.usedUp);
        await stored.step(stored.id, step, about);
        const next = decideNext(whole);
        expect(await stored.store.read(stored.id, (now) => now && decideNext(now))).toEqual(next);
        return next;
      };
      for (const message of messages) {
        if (message.kind === "money") stored.ledgers.usedUp = message.nth % 2 === 0 ? null : NO_MONEY;
        const one = stepFor(whole, message);
        if (one === null) continue;
        let next = await both(one.step, one.about);
        while (
          next.kind === "replan" ||
          next.kind === "hold" ||
          next.kind === "fail" ||
          next.kind === "plan"
        ) {
          const { kind } = next;
          const again = [
            planned(`again${whole.planningRound}`),
            planned(`then${whole.planningRound}`, `again${whole.planningRound}`),
          ];
          next = await both(
            (now) =>
              now && (kind === "plan" ? adoptPlan(now, again, DEFAULTS) : takeStep(now, decideNext(now), 1)),
            [],
          );
        }
        const kept = await stored.read();
        expect(kept.costUsd).toBeCloseTo(whole.costUsd);
        const { rest: _, ...expected } = { ...whole, pending: [], due: [], costUsd: kept.costUsd };
        expect(withoutTimes({ ...kept, due: [] })).toEqual(withoutTimes(expected));
      }
    }),
    { numRuns: 100 },
  );
});

const LONG = 170;
const land = (one: Ledger["tasks"][number], attempt = 1): LedgerStep => {
  const handoff = handoffOf(one, attempt);
  return (now) => now && absorbHandoff(now, handoff, OUTCOMES.landed);
};

test("a chain whose first task fails is blocked to its end, and goes on when the task is retried", async () => {
  const chain = Array.from({ length: LONG }, (_, nth) =>
    planned(`t${nth}`, ...(nth === 0 ? [] : [`t${nth - 1}`])),
  );
  const { step, id, read } = await build(chain);
  const first = byKey(await read(), "t0");
  for (const attempt of [1, 2])
    await step(
      id,
      (now) => now && absorbHandoff(now, { ...handoffOf(first, attempt), round: attempt }, OUTCOMES.rejected),
    );
  expect(statuses(await read())).toEqual(["t0 failed", ...chain.slice(1).map(({ key }) => `${key} blocked`)]);
  await step(id, (now) => now && retryTask(now, first.task.id, "ada"));
  expect(statuses(await read())).toEqual(["t0 sent", ...chain.slice(1).map(({ key }) => `${key} planned`)]);
});

test("all tasks that depend on one are sent when it has landed, and cancelled with their feature", async () => {
  const fan = [planned("root"), ...Array.from({ length: LONG }, (_, nth) => planned(`t${nth}`, "root"))];
  const { step, id, read, effects } = await build(fan);
  const root = byKey(await read(), "root");
  await step(id, land(root), [root.task.id]);
  expect(new Set(statuses(await read()))).toEqual(
    new Set(["root landed", ...fan.slice(1).map(({ key }) => `${key} sent`)]),
  );
  expect(effects.filter((effect) => effect.kind === "send")).toHaveLength(LONG + 1);
  await step(id, (now) => now && cancelFeature(now, "ada", 9));
  const ended = await read();
  expect(ended.tasks.filter((record) => record.status === "cancelled")).toHaveLength(LONG);
  expect(ended.tasks.at(-1)?.reason).toBe("cancelled by ada");
  expect(effects.filter((effect) => effect.kind === "cancel")).toHaveLength(LONG);
});

test("tasks that wait for budget are all sent when there is some", async () => {
  const { step, ledgers, id, read } = await build(
    Array.from({ length: LONG }, (_, nth) => planned(`t${nth}`)),
    (now) => now && { ...now, outOfBudget: NO_MONEY },
  );
  expect((await read()).tasks.every((record) => record.status === "sent")).toBe(true);
  ledgers.usedUp = NO_MONEY;
  for (const record of (await read()).tasks.slice(0, 120))
    await step(id, (now) => now && absorbHandoff(now, handoffOf(record, 1), OUTCOMES.rejected), [
      record.task.id,
    ]);
  expect((await read()).tasks.filter((record) => record.status === "ready")).toHaveLength(120);
  ledgers.usedUp = null;
  await step(id, (now) => now);
  expect((await read()).tasks.every((record) => record.status === "sent")).toBe(true);
});

test("handoffs of many tasks at once, by two planners, are all absorbed, and the last one sends what waited for all", async () => {
  const keys = Array.from({ length: 20 }, (_, nth) => `t${nth}`);
  const { step, id, read, store } = await build([
    ...keys.map((key) => planned(key)),
    planned("last", ...keys),
  ]);
  const other = openTestLedgers(connection);
  const { tasks } = await read();
  await Promise.all(
    tasks
      .slice(0, 20)
      .map((record, nth) => (nth % 2 === 0 ? step : other.step)(id, land(record), [record.task.id])),
  );
  const after = await read();
  expect(statuses(after)).toEqual([...keys.map((key) => `${key} landed`), "last sent"]);
  expect(after.costUsd).toBeCloseTo(10);
  expect(after.tokens).toBe(200);
  expect(await store.get(id)).toMatchObject({ rest: { counts: { landed: 20, sent: 1, planned: 0 } } });
});

test.each([
  ["the task that it is about", "versions", "a", 2],
  ["another task", "versions", "b", 1],
  ["a task that depends on it", "versions", "c", 2],
  ["the head", "head", "version", 2],
  ["anything else", "head", "revision", 1],
] as const)(
  "a handoff that was decided while %s changed is written after %s.%s in %i tries",
  async (_, key, field, tries) => {
    const { id, store, read } = await build([planned("a"), planned("b"), planned("c", "a")]);
    const ledger = await read();
    const changed = key === "versions" ? byKey(ledger, field).task.id : field;
    const a = byKey(ledger, "a");
    let decided = 0;
    await store.update(
      id,
      (now, facts) => {
        const after = land(a)(now, facts);
        decided += 1;
        // Pipelined before the write of this step, as another planner's step would be.
        if (decided === 1) void connection.redis.hincrby(`${ledgerBase(connection, id)}:${key}`, changed, 1);
        return after;
      },
      [a.task.id],
    );
    expect(statuses(await read())).toEqual(["a landed", "b sent", "c sent"]);
    // In each try the step is applied twice: the first time the dependents are not known yet.
    expect(decided).toBe(2 * tries);
  },
);

test("a step that counts the tasks is decided again when another step was written meanwhile", async () => {
  const { id, store } = await build([planned("a")]);
  let decided = 0;
  await store.update(id, (now) => {
    decided += 1;
    if (decided === 1) void connection.redis.hincrby(`${ledgerBase(connection, id)}:head`, "revision", 1);
    return now && countOf(now, ["held"]) === 0 ? { ...now, reason: "nothing is held" } : now;
  });
  expect(decided).toBe(2);
});
