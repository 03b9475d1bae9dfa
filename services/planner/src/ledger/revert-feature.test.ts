import type { MergeOutcome } from "@agentswarm/contracts";
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
import { decideNext } from "./decide-next.ts";
import type { Ledger } from "./ledger.ts";
import { cancelFeature, retryTask } from "./person-actions.ts";
import { retryFeature } from "./retry-feature.ts";
import { addRevert, revertFeature } from "./revert-feature.ts";
import { takeStep } from "./steps.ts";

const ASKED = { by: "ada", via: "cli", why: "it broke the login", at: 5 } as const;
const commitOf = (digit: string) => digit.repeat(40);
const land = (ledger: Ledger, key: string, commit: string, attempt = 1) =>
  absorb(ledger, handoffOf(byKey(ledger, key), attempt), { ...OUTCOMES.landed, commit });
const end = (ledger: Ledger, key: string, outcome: MergeOutcome, attempt = 1) =>
  absorb(ledger, handoffOf(byKey(ledger, key), attempt), outcome);
const reverted = (ledger: Ledger) => apply(ledger, (now) => revertFeature(now, ASKED));
const take = (ledger: Ledger) => apply(ledger, (now) => takeStep(now, decideNext(now), 9));
/** The landings of `a` and `b` on the trunk, the newest first. */
const TRUNK = (ledger: Ledger) => [
  { taskId: byKey(ledger, "b").task.id, commit: commitOf("b") },
  { taskId: byKey(ledger, "a").task.id, commit: commitOf("a") },
];
const ordered = (ledger: Ledger) => apply(ledger, (now) => addRevert(now, TRUNK(now)));
const twoLanded = () =>
  land(land(building([planned("a"), planned("b"), planned("c")]), "a", commitOf("a")), "b", commitOf("b"));
const ALL = "revert-2-landings";
const ONES = [`revert-${"b".repeat(12)}`, `revert-${"a".repeat(12)}`] as const;

test("a revert cancels what is open, takes all landings back at once, and ends the feature with who and why", () => {
  const begun = reverted(twoLanded());
  expect(begun).toMatchObject({ status: "building", reason: "being reverted by ada: it broke the login" });
  expect(statuses(begun)).toEqual(["a landed", "b landed", "c cancelled"]);
  expect(decideNext(begun).kind).toBe("revert");

  const sent = ordered(begun);
  expect(byKey(sent, ALL)).toMatchObject({
    status: "sent",
    task: { kind: "revert", title: 'Revert "One"', revert: { commits: [commitOf("b"), commitOf("a")] } },
  });
  expect(decideNext(sent).kind).toBe("wait");
  const done = take(land(sent, ALL, commitOf("e")));
  expect(done).toMatchObject({
    status: "cancelled",
    reason: "reverted by ada: it broke the login",
    finishedAt: 9,
  });
  expect(decideNext(done).kind).toBe("wait");
});

test("a redelivered message, or one that comes again after the end, changes nothing", () => {
  const sent = ordered(reverted(twoLanded()));
  expect(reverted(sent)).toBe(sent);
  expect(ordered(sent)).toBe(sent);
  const done = take(land(sent, ALL, commitOf("e")));
  expect(reverted(done)).toBe(done);
});

test("landings that conflict together are taken back one by one, and only what conflicts alone has a resolve", () => {
  const split = end(ordered(reverted(twoLanded())), ALL, OUTCOMES.conflict);
  expect(statuses(split).slice(3)).toEqual([`${ALL} cancelled`, `${ONES[0]} sent`, `${ONES[1]} planned`]);
  const resolving = end(split, ONES[0], OUTCOMES.conflict);
  const resolve = byKey(resolving, `${ONES[0]}-resolve`);
  expect(resolve).toMatchObject({
    status: "sent",
    task: { kind: "resolve", revert: { commits: [commitOf("b")] } },
  });
  expect(decideNext(resolving).kind).toBe("wait");
  const second = land(resolving, resolve.task.key, commitOf("d"));
  expect(byKey(second, ONES[1]).status).toBe("sent");
  const done = take(land(second, ONES[1], commitOf("e")));
  expect(done).toMatchObject({ status: "cancelled", reason: "reverted by ada: it broke the login" });
});

test("a landing that was on its way when the revert began is taken back, too, even after the end", () => {
  const building3 = building([planned("a")]);
  const nothing = take(reverted(building3));
  expect(nothing.reason).toBe("reverted by ada: it broke the login (nothing of it had landed)");
  const late = land(nothing, "a", commitOf("a"));
  expect(decideNext(late).kind).toBe("revert");
  const trunk = [{ taskId: byKey(late, "a").task.id, commit: commitOf("a") }];
  const sent = apply(late, (now) => addRevert(now, trunk));
  expect(statuses(sent)).toEqual(["a landed", `${ONES[1]} sent`]);
  expect(take(land(sent, ONES[1], commitOf("e"))).status).toBe("cancelled");
});

test("a landing that the trunk does not have needs no task", () => {
  const begun = reverted(twoLanded());
  const sent = apply(begun, (now) => addRevert(now, []));
  expect(take(sent)).toMatchObject({ status: "cancelled", reason: "reverted by ada: it broke the login" });
});

test("a revert that the gate refuses fails with the reason, and a retry takes it up where it ended", () => {
  let ledger = ordered(reverted(twoLanded()));
  for (const attempt of [1, 2]) ledger = end(ledger, ALL, OUTCOMES.rejected, attempt);
  const failed = take(ledger);
  expect(failed.status).toBe("failed");
  expect(failed.reason).toContain("the revert failed:\nrevert-2-landings: The check test failed");
  for (const again of [reverted(failed), apply(failed, (now) => retryFeature(now, "bob"))])
    expect([again.status, byKey(again, ALL).status, byKey(again, ALL).round]).toEqual([
      "building",
      "sent",
      3,
    ]);
});

test("a revert waits for no budget and no plan, and half of it cannot be cancelled or built again", () => {
  const usedUp = { level: "feature", why: "FEATURE_BUDGET_USD=5 is used up" } as const;
  const begun = reverted(apply(twoLanded(), (now) => now, usedUp));
  const sent = ordered(begun);
  expect(byKey(sent, ALL).status).toBe("sent");
  expect(apply(sent, (now) => cancelFeature(now, "bob", 9))).toBe(sent);
  const c = byKey(sent, "c").task.id;
  expect(apply(sent, (now) => retryTask(now, c, "bob"))).toBe(sent);
});
