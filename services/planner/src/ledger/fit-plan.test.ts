import { expect, test } from "vitest";
import { absorb, building, byKey, handoffOf, OUTCOMES, planned } from "../../testing/make-ledger.ts";
import type { Ledger } from "./ledger.ts";
import { fitPlan } from "./fit-plan.ts";
import type { PlannedTask } from "./validate-plan.ts";

/** `a` has landed, and `b` by its resolve. */
function started() {
  let ledger = building([planned("a"), planned("b"), planned("c")]);
  ledger = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.landed);
  ledger = absorb(ledger, handoffOf(byKey(ledger, "b"), 1), OUTCOMES.conflict);
  return absorb(ledger, handoffOf(byKey(ledger, "b-resolve"), 1), OUTCOMES.landed);
}
const titled = (key: string, title: string, ...dependsOn: string[]) => ({
  ...planned(key, ...dependsOn),
  title,
});
const shown = (plan: readonly PlannedTask[], ledger: Ledger = started()) => {
  const { tasks, refusal } = fitPlan(plan, ledger, 60);
  expect(refusal).toBeNull();
  return tasks.map(({ key, dependsOn }) => [key, ...dependsOn]);
};

test("a plan without landed keys stays as it is", () => {
  const plan = [planned("c"), planned("d", "a", "c")];
  expect(fitPlan(plan, started(), 60)).toEqual({ tasks: plan, refusal: null });
});

test("a repeated task that has landed is dropped, also when its resolve landed for it", () => {
  const plan = [planned("a"), planned("b"), planned("c", "b")];
  expect(shown(plan)).toEqual([["c", "b"]]);
});

test("other work under a landed key gets a new key, and what depends on it follows", () => {
  const plan = [titled("a", "More of a", "a", "b"), planned("d", "a")];
  expect(shown(plan)).toEqual([
    ["a-2", "a", "b"],
    ["d", "a-2"],
  ]);
});

test("a new key is free in the plan, among landed names and in length", () => {
  const long = "k".repeat(48);
  let ledger = building([planned("a"), planned("a-2"), planned(long)]);
  for (const key of ["a", "a-2", long])
    ledger = absorb(ledger, handoffOf(byKey(ledger, key), 1), OUTCOMES.landed);
  const plan = [titled("a", "More"), planned("a-3"), titled(long, "More")];
  expect(shown(plan, ledger)).toEqual([["a-4"], ["a-3"], [`${"k".repeat(44)}-2`]]);
});

test("a plan of nothing but landed tasks is refused with their keys, and one with a key twice as before", () => {
  const refusalOf = (...plan: PlannedTask[]) => fitPlan(plan, started(), 60).refusal;
  expect(refusalOf(planned("a"), planned("b"))).toBe("every task of the plan has landed already: a, b");
  expect(refusalOf(titled("a", "More"), titled("a", "Yet more"))).toBe("the key a-2 is used twice");
  expect(refusalOf()).toBe("the plan has no task");
});
