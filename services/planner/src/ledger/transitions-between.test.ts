import { expect, test } from "vitest";
import { absorb, apply, building, byKey, feature, handoffOf, OUTCOMES } from "../../testing/make-ledger.ts";
import { newLedger, type Ledger } from "./ledger.ts";
import { cancelFeature } from "./person-actions.ts";
import { transitionsBetween } from "./transitions-between.ts";

const lines = (before: Ledger | null, after: Ledger) =>
  transitionsBetween(before, after).map(({ taskId, round, status }) => [
    taskId === undefined ? "feature" : after.tasks.find((one) => one.task.id === taskId)?.task.key,
    ...(round === undefined ? [] : [round]),
    status,
  ]);
const fresh = newLedger(feature, "one");

test("every new state of the feature and its tasks is one transition, with ids and round", () => {
  expect(lines(null, fresh)).toEqual([["feature", "queued"]]);
  const ledger = building();
  expect(lines(fresh, ledger)).toEqual([
    ["a", 0, "planned"],
    ["a", 1, "sent"],
    ["b", 0, "planned"],
    ["feature", "building"],
  ]);
  const landed = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.landed);
  expect(lines(ledger, landed)).toEqual([
    ["a", 1, "landed"],
    ["b", 1, "sent"],
  ]);
  expect(transitionsBetween(ledger, landed)[0]).toEqual({
    featureId: "feature-1",
    taskId: byKey(ledger, "a").task.id,
    round: 1,
    status: "landed",
  });
});

test("a transition has its reason", () => {
  const ledger = building();
  const held = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.held);
  expect(transitionsBetween(ledger, held)).toMatchObject([
    { status: "held", reason: "swarm.json" },
    { status: "asked", kind: "landing", decisionId: byKey(held, "a").decisions[0]?.id },
  ]);
  const landed = absorb(held, handoffOf(byKey(held, "a"), 1), OUTCOMES.landed);
  expect(transitionsBetween(held, landed)).toContainEqual(
    expect.objectContaining({
      status: "withdrawn",
      reason: expect.stringMatching("^the task has landed") as string,
    }),
  );
  const again = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.rejected);
  expect(transitionsBetween(ledger, again)).toMatchObject([
    { status: "sent", round: 2, reason: "The check test failed on the merged tree:\nnot ok" },
  ]);
  const cancelled = apply(ledger, (now) => cancelFeature(now, "ada", 1));
  expect(lines(ledger, cancelled)).toEqual([
    ["a", 1, "cancelled"],
    ["b", 0, "cancelled"],
    ["feature", "cancelled"],
  ]);
});

test("a change that is no transition has none", () => {
  const ledger = building();
  expect(lines(ledger, ledger)).toEqual([]);
  expect(lines(ledger, { ...ledger, costUsd: 1 })).toEqual([]);
});
