import fc from "fast-check";
import { expect, test } from "vitest";
import { findCycle, plannedTaskSchema, refusePlan } from "./validate-plan.ts";

const task = (key: string, ...dependsOn: string[]) =>
  plannedTaskSchema.parse({ key, title: key, description: "", dependsOn });

test("a plan with no task or too many tasks is refused with the reason", () => {
  expect(refusePlan([], new Set(), 5)).toContain("no task");
  const many = Array.from({ length: 6 }, (_, nth) => task(`t${nth}`));
  expect(refusePlan(many, new Set(), 5)).toContain("MAX_TASKS_PER_PLAN");
});

test("a key that is used twice is refused", () => {
  expect(refusePlan([task("a"), task("a")], new Set(), 5)).toContain("a is used twice");
  expect(refusePlan([task("a")], new Set(["a"]), 5)).toContain("a is used twice");
});

test("a dependency must be in the plan or have landed", () => {
  expect(refusePlan([task("a", "b")], new Set(), 5)).toContain("depends on b");
  expect(refusePlan([task("a", "b")], new Set(["b"]), 5)).toBeNull();
});

test("a cycle is named", () => {
  expect(refusePlan([task("a", "b"), task("b", "a")], new Set(), 5)).toContain("a → b → a");
});

test("findCycle finds a cycle if and only if there is one", () => {
  const plans = fc
    .integer({ min: 2, max: 12 })
    .chain((count) => fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: count, maxLength: count }));
  fc.assert(
    fc.property(plans, (picks) => {
      const tasks = picks.map((earlier, nth) =>
        task(`t${nth}`, ...(nth === 0 ? [] : earlier.map((one) => `t${one % nth}`))),
      );
      expect(findCycle(tasks)).toBeNull();
      const last = tasks.length - 1;
      const closed = tasks.map((one, nth) => ({
        ...one,
        dependsOn: nth === 0 ? [`t${last}`] : [...one.dependsOn, `t${nth - 1}`],
      }));
      expect(findCycle(closed)).not.toBeNull();
    }),
  );
});
