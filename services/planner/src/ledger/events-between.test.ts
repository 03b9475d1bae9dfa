import { expect, test } from "vitest";
import { subjectOf } from "@agentswarm/contracts";
import { absorb, building, byKey, feature, handoffOf, OUTCOMES } from "../../testing/make-ledger.ts";
import { countTasks, eventsBetween } from "./events-between.ts";
import { newLedger, withRecord, type Ledger } from "./ledger.ts";

const types = (before: Ledger | null, after: Ledger) =>
  eventsBetween(before, after, 3).map((event) => event.type);
const fresh = newLedger(feature, "one");

test("a new feature is told as it was submitted, then as it stands", () => {
  expect(types(null, fresh)).toEqual(["feature.submitted", "feature.changed"]);
});

test("a plan is told with its tasks, and what of it was sent", () => {
  expect(types(fresh, building())).toEqual([
    "plan.made",
    "task.planned",
    "task.sent",
    "task.changed",
    "task.planned",
    "task.changed",
    "feature.changed",
  ]);
});

test("only what changed is told", () => {
  const ledger = building();
  expect(types(ledger, ledger)).toEqual([]);
  expect(types(ledger, { ...ledger, planningWhy: "not for people" })).toEqual([]);
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.rejected);
  const told = eventsBetween(ledger, after, 3).filter((event) => "taskId" in event);
  expect(told.map((event) => [event.type, subjectOf(event).taskId])).toEqual([
    ["task.sent", byKey(ledger, "a").task.id],
    ["task.changed", byKey(ledger, "a").task.id],
  ]);
});

test("the same step told twice has the same ids, and no two events share one", () => {
  const ids = (version: number) => eventsBetween(fresh, building(), version).map((event) => event.id);
  expect(ids(3)).toEqual(ids(3));
  expect(new Set(ids(3)).size).toBe(ids(3).length);
});

test("the survey does not travel with the task that people are told of", () => {
  const ledger = building();
  const { task } = byKey(ledger, "a");
  const told = eventsBetween(
    fresh,
    withRecord(ledger, task.id, { task: { ...task, context: "long" } }),
    3,
  ).find((event) => event.type === "task.planned");
  expect(told?.data).not.toHaveProperty("context");
});

test("tasks are counted by where they stand; what was put aside does not count", () => {
  const ledger = building();
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.conflict);
  expect(countTasks(after)).toEqual({ total: 2, landed: 0, running: 1, failed: 0, held: 0 });
});
