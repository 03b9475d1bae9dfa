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
import { bookFixes } from "./book-fixes.ts";
import { newLedger, type Ledger } from "./ledger.ts";

const NOBODY = new Set<string>();
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
    title: `Mend ${signature}`,
    description: "",
    scope: [],
  })),
});
const book = (ledger: Ledger, sweep: Sweep, fixed: ReadonlySet<string> = NOBODY) =>
  apply(ledger, (now) => bookFixes(now, sweep, fixed, DEFAULTS));
const fail = (ledger: Ledger, key: string): Ledger => {
  let failed = ledger;
  for (const attempt of [1, 2])
    failed = absorb(failed, handoffOf(byKey(failed, key), attempt), OUTCOMES.rejected);
  return failed;
};

test("each failure gets one fix, before all other work, with what failed and the check that shows it", () => {
  const ledger = book(health(), red("one", "two"));
  expect(ledger.tasks.map(({ signature, status }) => [signature, status])).toEqual([
    ["one", "sent"],
    ["two", "sent"],
  ]);
  expect(byKey(ledger, "mend-one").task).toMatchObject({
    kind: "fix",
    priority: 1,
    context: "Output of test (untrusted):\n1 !== 2",
    checks: [{ name: "test", command: "npm test" }],
  });
});

test("the same sweep told again, or another one with the same failure, books nothing more", () => {
  const once = book(health(), red("one"));
  expect(book(once, red("one"))).toBe(once);
  const held = absorb(once, handoffOf(byKey(once, "mend-one"), 1), OUTCOMES.held);
  expect(book(held, red("one"))).toBe(held);
});

test("a fix that conflicts is still open by its resolve", () => {
  const once = book(health(), red("one"));
  const after = absorb(once, handoffOf(byKey(once, "mend-one"), 1), OUTCOMES.conflict);
  expect(book(after, red("one"))).toBe(after);
});

test("what was mended after the sweep had looked is not booked", () => {
  const ledger = health();
  expect(book(ledger, red("one"), new Set(["one"]))).toBe(ledger);
});

test("a failure that outlives its fixes gets a third and no fourth", () => {
  let ledger = health();
  for (let nth = 1; nth <= 4; nth += 1) {
    ledger = book(ledger, red("one"));
    expect(ledger.tasks).toHaveLength(Math.min(nth, 3));
    if (nth <= 3) ledger = fail(ledger, "mend-one");
  }
  expect(new Set(ledger.tasks.map((record) => record.task.id)).size).toBe(3);
});
