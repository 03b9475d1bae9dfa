import { expect, test } from "vitest";
import { DEFAULT_REPO, TRUNK_HEALTH, type Sweep } from "@agentswarm/contracts";
import {
  absorb,
  apply,
  byKey,
  commit,
  DEFAULTS,
  feature,
  handoffOf,
  OUTCOMES,
  tree,
} from "../../testing/make-ledger.ts";
import { bookFixes, type FixFacts } from "./book-fixes.ts";
import { newLedger, type Ledger } from "./ledger.ts";

const NONE: FixFacts = { fixed: new Set(), worked: new Set() };
const health = (): Ledger => ({
  ...newLedger({ ...feature, id: TRUNK_HEALTH }, TRUNK_HEALTH),
  status: "building",
});
const red = (...signatures: string[]): Sweep => ({
  why: "nudge",
  repoId: DEFAULT_REPO,
  head: commit,
  tree,
  checksHash: "h",
  outcome: "red",
  green: null,
  checks: [
    { name: "lint", command: "npm run lint", exitCode: 0, durationMs: 1, outputTail: "" },
    { name: "test", command: "npm test", exitCode: 1, durationMs: 1, outputTail: "1 !== 2" },
  ],
  failures: signatures.map((signature) => ({ signature, check: "test", files: [], outputTail: "1 !== 2" })),
  drafts: signatures.map((signature) => ({
    signature,
    title: `Fix ${signature}`,
    description: "",
    scope: [],
  })),
});
const book = (ledger: Ledger, sweep: Sweep, facts: Partial<FixFacts> = {}) =>
  apply(ledger, (now) => bookFixes(now, sweep, { ...NONE, ...facts }, DEFAULTS));
const fail = (ledger: Ledger, key: string): Ledger => {
  let failed = ledger;
  for (const attempt of [1, 2])
    failed = absorb(failed, handoffOf(byKey(failed, key), attempt), OUTCOMES.rejected);
  return failed;
};

test("each failure gets one fix task of the highest priority with the failed check", () => {
  const ledger = book(health(), red("one", "two"));
  expect(ledger.tasks.map(({ signature, status }) => [signature, status])).toEqual([
    ["one", "sent"],
    ["two", "sent"],
  ]);
  expect(byKey(ledger, "fix-one").task).toMatchObject({
    kind: "fix",
    priority: 1,
    context: "Output of test (untrusted):\n1 !== 2",
    checks: [{ name: "test", command: "npm test" }],
  });
});

test("a failure whose fix is open is not booked again", () => {
  const once = book(health(), red("one"));
  expect(book(once, red("one"))).toBe(once);
  const held = absorb(once, handoffOf(byKey(once, "fix-one"), 1), OUTCOMES.held);
  expect(book(held, red("one"))).toBe(held);
});

test("a fix that conflicts stays open through its resolve", () => {
  const once = book(health(), red("one"));
  const after = absorb(once, handoffOf(byKey(once, "fix-one"), 1), OUTCOMES.conflict);
  expect(book(after, red("one"))).toBe(after);
});

test("a failure that was fixed after the sweep read the trunk is not booked", () => {
  const ledger = health();
  expect(book(ledger, red("one"), { fixed: new Set(["one"]) })).toBe(ledger);
});

test("a failure gets at most three fixes", () => {
  let ledger = health();
  for (let nth = 1; nth <= 4; nth += 1) {
    ledger = book(ledger, red("one"));
    expect(ledger.tasks).toHaveLength(Math.min(nth, 3));
    if (nth <= 3) ledger = fail(ledger, "fix-one");
  }
  expect(new Set(ledger.tasks.map((record) => record.task.id)).size).toBe(3);
});

const land = (ledger: Ledger, key: string): Ledger =>
  absorb(ledger, handoffOf(byKey(ledger, key), 1), OUTCOMES.landed);

test("a failure that comes back after a fix repaired it starts with three new fixes, however often", () => {
  let ledger = health();
  const worked = new Set<string>();
  for (let nth = 1; nth <= 5; nth += 1) {
    ledger = land(book(ledger, red("one"), { worked }), "fix-one");
    expect(ledger.tasks).toHaveLength(nth);
    worked.add(byKey(ledger, "fix-one").task.id);
  }
  expect(new Set(ledger.tasks.map((record) => record.task.id)).size).toBe(5);
});

test("a landed fix that no green trunk has had counts as tried", () => {
  let ledger = health();
  for (let nth = 1; nth <= 3; nth += 1) ledger = land(book(ledger, red("one")), "fix-one");
  expect(book(ledger, red("one"))).toBe(ledger);
});

test("a resolve that landed in the place of its fix repairs the failure too", () => {
  const once = book(health(), red("one"));
  const conflicted = absorb(once, handoffOf(byKey(once, "fix-one"), 1), OUTCOMES.conflict);
  let ledger = land(conflicted, "fix-one-resolve");
  const worked = new Set([byKey(ledger, "fix-one-resolve").task.id]);
  for (let nth = 1; nth <= 4; nth += 1) {
    ledger = book(ledger, red("one"), { worked });
    if (nth <= 3) ledger = fail(ledger, "fix-one");
  }
  expect(ledger.tasks.filter(({ task }) => task.kind === "fix")).toHaveLength(4);
});
