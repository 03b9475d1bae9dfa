import { expect, test } from "vitest";
import type { UsedUp } from "@agentswarm/contracts";
import {
  absorb,
  apply,
  building,
  byKey,
  feature,
  handoffOf,
  OUTCOMES,
  planned,
  statuses,
} from "../../testing/make-ledger.ts";
import { decideHeld } from "./decisions/held-landing.ts";
import { cancelFeature, giveBudget, retryTask } from "./person-actions.ts";
import { adoptPlan } from "./adopt-plan.ts";
import { decideNext } from "./decide-next.ts";
import { effectId, effectsBetween } from "./effects-between.ts";
import { eventsBetween } from "./events-between.ts";
import { newLedger, withRecord, type Ledger } from "./ledger.ts";

const USED_UP: UsedUp = { level: "feature", why: "FEATURE_BUDGET_USD=5 is used up (5.02)" };
const withBudget = (ledger: Ledger, usedUp: UsedUp | null) => apply(ledger, (now) => now, usedUp);
const poor = (ledger: Ledger) => withBudget(ledger, USED_UP);
const rich = (ledger: Ledger) => withBudget(ledger, null);
const reasonOf = (before: Ledger, after: Ledger) =>
  eventsBetween(before, after, 3).find((event) => event.type === "feature.changed")?.data.reason;

test("a budget state that is known already changes nothing", () => {
  const ledger = building();
  expect(rich(ledger)).toBe(ledger);
  const waiting = poor(ledger);
  expect(withBudget(waiting, { ...USED_UP })).toBe(waiting);
});

test("tasks that become possible while a budget is used up are ready, and sent afterwards", () => {
  const waiting = poor(building());
  const landed = absorb(waiting, handoffOf(byKey(waiting, "a"), 1), OUTCOMES.landed);
  expect(statuses(landed)).toEqual(["a landed", "b ready"]);
  const after = rich(landed);
  expect(statuses(after)).toEqual(["a landed", "b sent"]);
  expect(rich(after)).toBe(after);
});

test("only an approved attempt is sent while a budget is used up", () => {
  const waiting = poor(building([planned("a")]));
  const conflict = absorb(waiting, handoffOf(byKey(waiting, "a"), 1), OUTCOMES.conflict);
  expect(statuses(conflict)).toEqual(["a cancelled", "a-resolve ready"]);
  const failed = withRecord(waiting, byKey(waiting, "a").task.id, { status: "failed" });
  expect(statuses(apply(failed, (now) => retryTask(now, byKey(failed, "a").task.id, "ada")))).toEqual([
    "a ready",
  ]);
  expect(
    statuses(
      apply(poor(newLedger(feature, "one")), (now) =>
        adoptPlan(now, [planned("x")], { attemptBudget: 1, wallMs: 1 }),
      ),
    ),
  ).toEqual(["x ready"]);
  const held = absorb(waiting, handoffOf(byKey(waiting, "a"), 1), OUTCOMES.held);
  const approve = {
    kind: "approve",
    taskId: byKey(held, "a").task.id,
    decision: "approve",
    by: "ada",
    via: "rest",
  } as const;
  expect(statuses(apply(held, (now, facts) => decideHeld(now, approve, facts)))).toEqual(["a sent"]);
});

test("the model is not called while a budget is used up", () => {
  expect(decideNext(poor(newLedger(feature, "one"))).kind).toBe("wait");
  expect(decideNext(rich(poor(newLedger(feature, "one")))).kind).toBe("plan");
  const ledger = building([planned("a")]);
  const { id } = byKey(ledger, "a").task;
  const landed = withRecord(ledger, id, { status: "landed" });
  expect([decideNext(poor(landed)).kind, decideNext(landed).kind]).toEqual(["wait", "accept"]);
  expect(decideNext(poor(withRecord(ledger, id, { status: "failed", reason: "no" }))).kind).toBe("replan");
});

test("the reason of feature.changed says which budget a feature waits for", () => {
  const ledger = building();
  const waiting = poor(ledger);
  expect(reasonOf(ledger, waiting)).toBe(`waiting: ${USED_UP.why}`);
  expect(eventsBetween(ledger, waiting, 3)[0]).toMatchObject({ type: "budget.reached", data: USED_UP });
  const more = withBudget(waiting, { ...USED_UP, why: "FEATURE_BUDGET_USD=5 is used up (5.03)" });
  expect(eventsBetween(waiting, more, 4).map((event) => event.type)).toEqual(["feature.changed"]);
  expect(reasonOf(more, rich(more))).toBeNull();
  expect(reasonOf(waiting, cancelFeature(waiting, "ada", 1))).toBe("cancelled by ada");
  // A feature that waits for a sweep makes no more model calls.
  expect(reasonOf(ledger, { ...waiting, status: "verifying" })).toBeNull();
});

test("the budget of a feature is set as its cap", () => {
  const ledger = building();
  const given = giveBudget(giveBudget(ledger, { usd: 2, tokens: 100 }), { usd: 3 });
  expect(given.feature.budget).toEqual({ usd: 3, tokens: 100 });
  const caps = (before: Ledger | null, after: Ledger) =>
    effectsBetween(before, after, 7)
      .map(effectId)
      .filter((id) => id.startsWith("cap"));
  expect(caps(ledger, given)).toEqual(["cap/7"]);
  expect(caps(given, giveBudget(given, { usd: 3 }))).toEqual([]);
  expect(caps(null, newLedger({ ...feature, budget: { usd: 1 } }, "one"))).toEqual(["cap/7"]);
  expect(caps(null, newLedger(feature, "one"))).toEqual([]);
});
