import { expect, test } from "vitest";
import {
  absorb,
  apply,
  building,
  byKey,
  DEFAULTS,
  handoffOf,
  OUTCOMES,
  planned,
  statuses,
} from "../../testing/make-ledger.ts";
import { adoptPlan } from "./adopt-plan.ts";
import type { Ledger } from "./ledger.ts";
import { replan } from "./steps.ts";

/** A feature whose task `a` has landed and whose task `b` has failed twice. */
function secondRound() {
  let ledger = building();
  ledger = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.landed);
  for (const attempt of [1, 2])
    ledger = absorb(ledger, handoffOf(byKey(ledger, "b"), attempt), OUTCOMES.rejected);
  return replan(ledger, "b: not ok");
}

const adopt = (ledger: Ledger, plan: Parameters<typeof adoptPlan>[1]) =>
  apply(ledger, (now) => adoptPlan(now, plan, DEFAULTS));

test("task ids are derived from the plan and its revision", () => {
  const ids = (ledger: ReturnType<typeof building>) => ledger.tasks.map((record) => record.task.id);
  expect(ids(building())).toEqual(ids(building()));
  const again = adopt(secondRound(), [planned("a2"), planned("b", "a2")]);
  expect(new Set(ids(again)).size).toBe(4);
});

test("a later plan may depend on a landed task by its key", () => {
  const ledger = adopt(secondRound(), [planned("b", "a")]);
  expect(statuses(ledger)).toEqual(["a landed", "b cancelled", "b sent"]);
  expect(byKey(ledger, "b").task.dependsOn).toEqual([byKey(ledger, "a").task.id]);
});

test("failed tasks are cancelled with the reason that they had", () => {
  const ledger = adopt(secondRound(), [planned("other")]);
  const [, aside] = ledger.tasks;
  expect(aside?.status).toBe("cancelled");
  expect(aside?.reason).toMatch(/^planned again in revision 2: .*not ok$/s);
});

test("each plan is a revision with its planning round", () => {
  const ledger = adopt(secondRound(), [planned("other")]);
  expect(ledger.revisions.map(({ number, round, taskIds }) => [number, round, taskIds.length])).toEqual([
    [1, 1, 2],
    [2, 2, 1],
  ]);
});

test("a plan can lower the priority of its tasks, never raise it", () => {
  const at = (priority: number) => building([{ ...planned("a"), priority }]).tasks[0]?.task.priority;
  expect([at(1), at(5), at(8)]).toEqual([5, 5, 8]);
});
