import { expect, test } from "vitest";
import {
  absorb,
  apply,
  building,
  byKey,
  handoffOf,
  OUTCOMES,
  planned,
  statuses,
} from "../../testing/make-ledger.ts";
import { cancelTask } from "./cancel-task.ts";
import { decideNext } from "./decide-next.ts";
import type { Ledger } from "./ledger.ts";

const plan = () => building([planned("a"), planned("b", "a"), planned("c", "b"), planned("d")]);
const cancel = (ledger: Ledger, key: string) =>
  apply(ledger, (now) => cancelTask(now, byKey(ledger, key).task.id, "ada", "not needed"));
const land = (ledger: Ledger, key: string) =>
  absorb(ledger, handoffOf(byKey(ledger, key), 1), OUTCOMES.landed);

test("a task is cancelled with all that depends on it, and its job is taken back", () => {
  const cancelled = cancel(plan(), "a");
  expect(statuses(cancelled)).toEqual(["a cancelled", "b cancelled", "c cancelled", "d sent"]);
  expect(byKey(cancelled, "a").reason).toBe("cancelled by ada: not needed");
  expect(byKey(cancelled, "c").reason).toBe("it depends on a, which was cancelled by ada: not needed");
  expect(cancelled.pending).toContainEqual({
    kind: "cancel",
    taskId: byKey(cancelled, "a").task.id,
    round: 1,
  });
  expect(cancel(cancelled, "a")).toBe(cancelled);
});

test("the feature goes on without it, and the acceptance decides what is missing", () => {
  const ledger = cancel(plan(), "b");
  expect(statuses(ledger)).toEqual(["a sent", "b cancelled", "c cancelled", "d sent"]);
  const landed = land(land(ledger, "a"), "d");
  expect(decideNext(landed).kind).toBe("accept");
});

test("a task that conflicted is cancelled in the resolve that took its place, with what waits for it", () => {
  const conflicted = absorb(plan(), handoffOf(byKey(plan(), "a"), 1), OUTCOMES.conflict);
  const cancelled = cancel(conflicted, "a");
  expect(statuses(cancelled)).toEqual([
    "a cancelled",
    "b cancelled",
    "c cancelled",
    "d sent",
    "a-resolve cancelled",
  ]);
});

test("a resolve that only waits behind another one goes on without it", () => {
  let ledger = building([planned("a"), planned("b")]);
  for (const key of ["a", "b"]) ledger = absorb(ledger, handoffOf(byKey(ledger, key), 1), OUTCOMES.conflict);
  expect(byKey(ledger, "b-resolve").status).toBe("planned");
  const cancelled = cancel(ledger, "a");
  expect(statuses(cancelled).slice(2)).toEqual(["a-resolve cancelled", "b-resolve sent"]);
});

test("a failed task that is cancelled does not have the feature planned again", () => {
  let ledger = building([planned("a"), planned("b")]);
  for (const attempt of [1, 2])
    ledger = absorb(ledger, handoffOf(byKey(ledger, "a"), attempt), OUTCOMES.rejected);
  ledger = land(ledger, "b");
  expect(decideNext(ledger).kind).toBe("replan");
  expect(decideNext(cancel(ledger, "a")).kind).toBe("accept");
});

test("what has landed stays, and the tasks of a feature that has ended stay as they are", () => {
  const landed = land(plan(), "a");
  expect(cancel(landed, "a")).toBe(landed);
  const ended: Ledger = { ...landed, status: "failed" };
  expect(cancel(ended, "d")).toBe(ended);
});
