import { expect, test } from "vitest";
import type { DecisionAnswer } from "@agentswarm/contracts";
import {
  absorb,
  applyAt,
  building,
  byKey,
  DEFAULTS,
  feature,
  handoffOf,
  OUTCOMES,
  planned,
  statuses,
} from "../../../testing/make-ledger.ts";
import { adoptPlan } from "../adopt-plan.ts";
import { decideNext } from "../decide-next.ts";
import { newLedger, type Ledger } from "../ledger.ts";
import { cancelFeature, giveBudget, retryTask } from "../person-actions.ts";
import { retryFeature } from "../retry-feature.ts";
import { answerDecision } from "./answer-decision.ts";
import { remindOrEnd } from "./remind-or-end.ts";

const PLANS = { planFromTasks: 2 };
const adopt = (ledger: Ledger, ...keys: string[]) =>
  applyAt(
    ledger,
    1,
    (now) =>
      adoptPlan(
        now,
        keys.map((key) => planned(key)),
        DEFAULTS,
      ),
    { rules: PLANS },
  );
const planning = () => newLedger(feature, "one");
const newest = (ledger: Ledger) => {
  const decision = ledger.decisions.at(-1);
  if (decision === undefined) throw new Error("nobody is asked");
  return decision;
};
const answer = (ledger: Ledger, change: Partial<DecisionAnswer>, usedUp = ledger.outOfBudget) =>
  applyAt(
    ledger,
    1_000,
    (now, facts) => {
      const { id, head } = newest(ledger);
      const given = { by: "ada", via: "rest", role: "operator", text: "", head, option: null } as const;
      const nth = String(ledger.pending.length);
      return answerDecision(
        now,
        { decisionId: id, taskId: null },
        { id: `a-${nth}`, ...given, ...change },
        facts,
      );
    },
    { usedUp, rules: PLANS },
  );
const refusalOf = (before: Ledger, after: Ledger) =>
  after.pending
    .slice(before.pending.length)
    .flatMap((one) => (one.kind === "emit" && one.event.type === "answer.refused" ? [one.event.data] : []));

test("a large plan waits, and nothing of it is sent before it is approved", () => {
  const waits = adopt(planning(), "a", "b");
  expect(waits).toMatchObject({ status: "held", reason: "its plan waits for an approval (swarm inbox)" });
  expect(statuses(waits)).toEqual(["a planned", "b planned"]);
  expect(decideNext(waits).kind).toBe("wait");
  expect(newest(waits)).toMatchObject({ kind: "plan", taskId: null, state: "open" });
  expect(newest(waits).head).toMatch(/^[0-9a-f]{40}$/);
  expect(newest(waits).ask).toContain("1. `a`: a");
  expect(applyAt(waits, 2, (now) => now, { rules: PLANS })).toBe(waits);
  const approved = answer(waits, { option: "approve" });
  expect(approved).toMatchObject({ status: "building", reason: null });
  expect(statuses(approved)).toEqual(["a sent", "b sent"]);
});

test("a small plan does not wait", () => {
  expect(statuses(adopt(planning(), "a"))).toEqual(["a sent"]);
  expect(adopt(planning(), "a").decisions).toEqual([]);
});

test("an answer about another plan decides nothing", () => {
  const waits = adopt(planning(), "a", "b");
  const late = answer(waits, { option: "approve", head: "9".repeat(40) });
  expect(refusalOf(waits, late)).toMatchObject([{ code: "head-changed" }]);
  expect(statuses(late)).toEqual(["a planned", "b planned"]);
});

test("a refused plan is made again with the person's words, as often as people like, and asked about whatever its size", () => {
  let ledger = adopt(planning(), "a", "b");
  for (let round = 2; round <= 6; round += 1) {
    ledger = answer(ledger, { option: "refuse", text: "too wide" });
    expect(ledger).toMatchObject({
      status: "planning",
      planningRound: round,
      planningWhy: "the plan was refused by ada: too wide",
    });
    expect(decideNext(ledger).kind).toBe("plan");
    expect(ledger.tasks.every(({ status }) => status === "cancelled")).toBe(true);
    ledger = adopt(ledger, `only${round}`);
    expect(ledger.status).toBe("held");
  }
  expect(statuses(answer(ledger, { option: "approve" })).at(-1)).toBe("only6 sent");
});

test("a retry does not get round the person who was asked about the plan", () => {
  const waits = adopt(planning(), "a", "b");
  const cancelled = applyAt(waits, 2, (now) => cancelFeature(now, "ben", 2));
  expect(newest(cancelled)).toMatchObject({
    state: "withdrawn",
    endReason: "the feature is cancelled: cancelled by ben",
  });
  expect(retryFeature(cancelled, "ben").status).toBe("planning");
  const failed = { ...waits, tasks: waits.tasks.map((one) => ({ ...one, status: "failed" as const })) };
  const retried = applyAt(failed, 2, (now) => retryTask(now, byKey(now, "a").task.id, "ben"), {
    rules: PLANS,
  });
  expect(retried.status).toBe("held");
  expect(statuses(retried)[0]).toBe("a planned");
});

test("a plan that nobody looked at in time fails its feature with DECISION_TIMEOUT=refuse", () => {
  const rules = { ...PLANS, onTimeout: "refuse" as const };
  const waits = applyAt(planning(), 1, (now) => adoptPlan(now, [planned("a"), planned("b")], DEFAULTS), {
    rules,
  });
  const { id: decisionId } = newest(waits);
  const ended = applyAt(waits, 10_000, (now, facts) => remindOrEnd(now, { decisionId, taskId: null }, facts));
  expect(ended).toMatchObject({
    status: "failed",
    reason: "nobody answered within 4 seconds",
    finishedAt: 10_000,
  });
  expect(statuses(ended)).toEqual(["a cancelled", "b cancelled"]);
  expect(retryFeature(ended, "ada").status).toBe("planning");
});

const usedUp = (cap: number, spent: number) => ({
  level: "feature" as const,
  why: `the feature's budget.usd=${cap} is used up (${spent})`,
});
const poor = (ledger: Ledger, cap = 5, spent = 5.01) =>
  applyAt(ledger, 1, (now) => now, { usedUp: usedUp(cap, spent) });

test("people are asked once when a feature's budget is used up, and raise it or cancel the feature", () => {
  const waits = poor(building());
  expect(newest(waits)).toMatchObject({ kind: "budget", onTimeout: "hold", needs: { role: "operator" } });
  expect(poor(waits, 5, 5.4).decisions).toBe(waits.decisions);
  const spent = { ...waits, costUsd: 5.4, tokens: 900 };
  for (const text of ["5", "5.40", "lots", "", "5000 tokens"])
    expect(refusalOf(spent, answer(spent, { option: "raise", text }))).toMatchObject([
      { code: "no-such-option" },
    ]);
  const raised = answer(spent, { option: "raise", text: "$20" });
  expect(raised.feature.budget).toEqual({ usd: 20 });
  expect(raised.pending.slice(spent.pending.length)).toContainEqual(expect.objectContaining({ kind: "cap" }));
  expect(raised.decisions).toHaveLength(1);
  // The cap that was given is used up, too.
  expect(poor(raised, 20, 20.1).decisions.map(({ state }) => state)).toEqual(["answered", "open"]);
  const why = "FEATURE_BUDGET_TOKENS=800 is used up (900)";
  const noTokens = applyAt(building(), 1, (now) => now, { usedUp: { level: "feature", why } });
  expect(refusalOf(noTokens, answer(noTokens, { option: "raise", text: "20" }))).toHaveLength(1);
  expect(answer(noTokens, { option: "raise", text: "1000 tokens" }).feature.budget).toEqual({ tokens: 1000 });
  expect(answer(spent, { option: "cancel" })).toMatchObject({
    status: "cancelled",
    reason: "cancelled by ada",
  });
});

test("the question about a budget is withdrawn when it is raised otherwise", () => {
  const waits = poor(building());
  const raised = applyAt(waits, 2, (now) => giveBudget(now, { usd: 9 }), { usedUp: null });
  expect(newest(raised)).toMatchObject({ state: "withdrawn", endReason: "the feature has budget again" });
});

test("nobody is asked with DECIDE_BUDGETS=off, or about the budget of the swarm, which is a setting", () => {
  const ask = (level: "swarm" | "feature", budgets: boolean) =>
    applyAt(building(), 1, (now) => now, { usedUp: { ...usedUp(5, 6), level }, rules: { budgets } })
      .decisions;
  expect(ask("feature", false)).toEqual([]);
  expect(ask("swarm", true)).toEqual([]);
  expect(ask("feature", true)).toHaveLength(1);
});

test("a held task without a question, as earlier versions left them, is asked about when it is read", () => {
  const ledger = building([planned("a")]);
  const held = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.held);
  const older = { ...held, tasks: held.tasks.map((one) => ({ ...one, decisions: [] })) };
  expect(
    byKey(
      applyAt(older, 5, (now) => now),
      "a",
    ).decisions,
  ).toMatchObject([{ kind: "landing", state: "open", askedAt: 5 }]);
});
