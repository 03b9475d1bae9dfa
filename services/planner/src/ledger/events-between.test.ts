import { expect, test } from "vitest";
import { subjectOf } from "@agentswarm/contracts";
import { absorb, building, byKey, feature, handoffOf, OUTCOMES } from "../../testing/make-ledger.ts";
import { countTasks, eventsBetween } from "./events-between.ts";
import { newLedger, withRecord, type Ledger } from "./ledger.ts";

const types = (before: Ledger | null, after: Ledger) =>
  eventsBetween(before, after, 3).map((event) => event.type);
const fresh = newLedger(feature, "one");

test("a new feature emits its submission, then its state", () => {
  expect(types(null, fresh)).toEqual(["feature.submitted", "feature.changed"]);
});

test("a plan emits its tasks and those that are sent", () => {
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

test("a change emits only what changed", () => {
  const ledger = building();
  expect(types(ledger, ledger)).toEqual([]);
  expect(types(ledger, { ...ledger, planningWhy: "only for the prompt" })).toEqual([]);
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.rejected);
  const events = eventsBetween(ledger, after, 3).filter((event) => "taskId" in event);
  expect(events.map((event) => [event.type, subjectOf(event).taskId])).toEqual([
    ["task.sent", byKey(ledger, "a").task.id],
    ["task.changed", byKey(ledger, "a").task.id],
  ]);
});

test("the ids of a step's events are derived and unique", () => {
  const ids = (version: number) => eventsBetween(fresh, building(), version).map((event) => event.id);
  expect(ids(3)).toEqual(ids(3));
  expect(new Set(ids(3)).size).toBe(ids(3).length);
});

test("task.planned does not carry the survey", () => {
  const ledger = building();
  const { task } = byKey(ledger, "a");
  const planned = eventsBetween(
    fresh,
    withRecord(ledger, task.id, { task: { ...task, context: "long" } }),
    3,
  ).find((event) => event.type === "task.planned");
  expect(planned?.data).not.toHaveProperty("context");
});

test("cancelled tasks do not count", () => {
  const ledger = building();
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.conflict);
  expect(countTasks(after)).toEqual({ total: 2, ready: 0, underWay: 1, landed: 0, failed: 0, held: 0 });
});
