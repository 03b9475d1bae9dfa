import { expect, test } from "vitest";
import { absorb, building, byKey, feature, handoffOf, OUTCOMES } from "../../testing/make-ledger.ts";
import { cancelFeature } from "./person-actions.ts";
import { effectId, effectsBetween } from "./effects-between.ts";
import { newLedger, withRecord, type Ledger } from "./ledger.ts";

/** Ids of the effects, apart from events. */
const done = (before: Ledger | null, after: Ledger) =>
  effectsBetween(before, after, 7)
    .filter((effect) => effect.kind !== "emit")
    .map(effectId);
const idOf = (ledger: Ledger, key: string) => byKey(ledger, key).task.id;

test("tasks of a plan without dependencies are sent once", () => {
  const ledger = building();
  expect(done(newLedger(feature, "one"), ledger)).toEqual([`send/${idOf(ledger, "a")}/1`]);
  expect(done(ledger, ledger)).toEqual([]);
});

test("a landing sends the tasks that depend on it", () => {
  const ledger = building();
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.landed);
  expect(done(ledger, after)).toEqual([`send/${idOf(ledger, "b")}/1`]);
});

test("a conflict sends the resolve and cancels nothing", () => {
  const ledger = building();
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.conflict);
  expect(done(ledger, after)).toEqual([`send/${idOf(after, "a-resolve")}/1`]);
});

test("cancelling a feature cancels only jobs that are under way", () => {
  const ledger = building();
  expect(done(ledger, cancelFeature(ledger, "ada", 1))).toEqual([`cancel/${idOf(ledger, "a")}/1`]);
});

test("a landing of an earlier round cancels the current round", () => {
  const ledger = building();
  const first = handoffOf(byKey(ledger, "a"), 1);
  const second = absorb(ledger, first, OUTCOMES.rejected);
  const after = absorb(second, { ...first, attempt: 2 }, OUTCOMES.landed);
  expect(done(second, after)).toContain(`cancel/${idOf(ledger, "a")}/2`);
});

test("a sweep is requested when a feature begins to wait for green, and when a fix has landed", () => {
  const ledger = building();
  const verifying: Ledger = { ...ledger, status: "verifying" };
  expect(done(ledger, verifying)).toEqual(["sweep/last-task-feature-1-7"]);
  expect(done(verifying, { ...verifying, redSweeps: ["one"] })).toEqual([]);
  const id = idOf(ledger, "a");
  const fix = withRecord(ledger, id, { signature: "one" });
  expect(done(fix, withRecord(fix, id, { status: "landed" }))).toContain(`sweep/fix-landed-${id}`);
});
