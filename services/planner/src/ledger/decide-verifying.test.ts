import { expect, test } from "vitest";
import { absorb, building, byKey, handoffOf, OUTCOMES, planned } from "../../testing/make-ledger.ts";
import { absorbVerdict, decideVerifying, type VerifyingFacts } from "./decide-verifying.ts";
import { landingsOf } from "./find-tasks.ts";
import type { Ledger } from "./ledger.ts";
import { retryTask } from "./person-actions.ts";

const facts = (change: Partial<VerifyingFacts>): VerifyingFacts => ({
  outcome: "red",
  inGreen: false,
  inSwept: true,
  lost: [],
  fixOpen: false,
  ...change,
});
const decide = (change: Partial<VerifyingFacts>) => decideVerifying(facts(change)).kind;
const at = { sweepId: "sweep-1", at: 5 };

/** A feature whose tasks `a` and `b` have landed. */
function verifying(): Ledger {
  let ledger = building([planned("a"), planned("b")]);
  ledger = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.landed);
  ledger = absorb(ledger, handoffOf(byKey(ledger, "b"), 1), { ...OUTCOMES.landed, commit: "e".repeat(40) });
  return { ...ledger, status: "verifying" };
}

test("only a green that has every landing of the feature ends it", () => {
  expect(decide({ outcome: "green", inGreen: true })).toBe("done");
  expect(decide({ outcome: "red", inGreen: true })).toBe("done");
  expect(decide({ outcome: "green", inGreen: false })).toBe("wait");
});

test("a red sweep counts once no fix is under way, if it had the landings", () => {
  expect(decide({})).toBe("count");
  // The checks of the trunk cannot be read, which a person repairs: no feature fails by it.
  expect(decide({ outcome: "error" })).toBe("wait");
  expect(decide({ fixOpen: true })).toBe("wait");
  expect(decide({ inSwept: false })).toBe("wait");
});

test("without any checks a feature is done once the trunk has its landings, and says that nothing was checked", () => {
  expect(decide({ outcome: "unchecked", inSwept: false })).toBe("wait");
  const decision = decideVerifying(facts({ outcome: "unchecked" }));
  expect(absorbVerdict(verifying(), landingsOf(verifying()), decision, at)).toMatchObject({
    status: "done",
    reason: "landed, but nothing was checked: the target has no checks",
  });
});

test("a landing that the trunk has lost fails the feature with the reason, and its task can be retried", () => {
  const before = verifying();
  const lost = byKey(before, "b").task.id;
  const decision = decideVerifying(facts({ inSwept: false, lost: [lost] }));
  expect(decision).toEqual({ kind: "lost", taskIds: [lost] });
  const after = absorbVerdict(before, landingsOf(before), decision, at);
  expect(after).toMatchObject({ status: "failed", finishedAt: 5 });
  expect(after.reason).toContain("force-pushed or rewound");
  expect(after.reason).toContain("b: its landing eeeeeeeeeeee is not on the trunk any more");
  expect(byKey(after, "a")).toMatchObject({ status: "landed" });
  expect(byKey(after, "b")).toMatchObject({ status: "failed", commit: null });
  expect(byKey(retryTask(after, lost, "ada"), "b").status).toBe("planned");
});

test("a redelivered sweep counts once", () => {
  const before = verifying();
  const once = absorbVerdict(before, landingsOf(before), { kind: "count" }, at);
  expect(once.redSweeps).toEqual(["sweep-1"]);
  expect(absorbVerdict(once, landingsOf(before), { kind: "count" }, at)).toBe(once);
});

test("a feature that has landed more since it was read is not decided by that reading", () => {
  const read = verifying();
  const [first, ...others] = read.tasks;
  const now: Ledger = { ...read, tasks: first ? [{ ...first, commit: "f".repeat(40) }, ...others] : others };
  for (const kind of ["done", "count"] as const)
    expect(absorbVerdict(now, landingsOf(read), { kind }, at)).toBe(now);
  const building = { ...read, status: "building" as const };
  expect(absorbVerdict(building, landingsOf(read), { kind: "done" }, at)).toBe(building);
});
