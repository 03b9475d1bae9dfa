import { expect, test } from "vitest";
import { absorb, building, byKey, feature, handoffOf, OUTCOMES } from "../../testing/make-ledger.ts";
import { cancelFeature } from "./person-actions.ts";
import { effectId, effectsBetween } from "./effects-between.ts";
import { newLedger, withRecord, type Ledger } from "./ledger.ts";

/** What is done, apart from telling people. */
const done = (before: Ledger | null, after: Ledger) =>
  effectsBetween(before, after, 7)
    .filter((effect) => effect.kind !== "emit")
    .map(effectId);
const idOf = (ledger: Ledger, key: string) => byKey(ledger, key).task.id;

test("what a plan lets go is sent, once", () => {
  const ledger = building();
  expect(done(newLedger(feature, "one"), ledger)).toEqual([`send/${idOf(ledger, "a")}/1`]);
  expect(done(ledger, ledger)).toEqual([]);
});

test("a landing sends what waited for it, and cancels nothing", () => {
  const ledger = building();
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.landed);
  expect(done(ledger, after)).toEqual([`send/${idOf(ledger, "b")}/1`]);
});

test("a conflict sends the resolve; the task it stands for has no job to cancel any more", () => {
  const ledger = building();
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.conflict);
  expect(done(ledger, after)).toEqual([`send/${idOf(after, "a-resolve")}/1`]);
});

test("cancelling a feature cancels the jobs that are under way, and no other", () => {
  const ledger = building();
  expect(done(ledger, cancelFeature(ledger, "ada", 1))).toEqual([`cancel/${idOf(ledger, "a")}/1`]);
});

test("a landing of an earlier round cancels the one that is under way", () => {
  const ledger = building();
  const first = handoffOf(byKey(ledger, "a"), 1);
  const second = absorb(ledger, first, OUTCOMES.rejected);
  const after = absorb(second, { ...first, attempt: 2 }, OUTCOMES.landed);
  expect(done(second, after)).toContain(`cancel/${idOf(ledger, "a")}/2`);
});

test("a feature that begins to wait for green asks for a sweep, and a landed fix does", () => {
  const ledger = building();
  const verifying: Ledger = { ...ledger, status: "verifying" };
  expect(done(ledger, verifying)).toEqual(["sweep/last-task-feature-1-7"]);
  expect(done(verifying, { ...verifying, redSweeps: ["one"] })).toEqual([]);
  const id = idOf(ledger, "a");
  const fix = withRecord(ledger, id, { signature: "one" });
  expect(done(fix, withRecord(fix, id, { status: "landed" }))).toContain(`sweep/fix-landed-${id}`);
});
