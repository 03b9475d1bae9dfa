import { expect, test } from "vitest";
import { NO_NOTES, type Handoff, type UsedUp } from "@agentswarm/contracts";
import { absorb, apply, building, byKey, handoffOf, OUTCOMES, planned } from "../../testing/make-ledger.ts";
import { decideNext } from "./decide-next.ts";
import {
  CONFLICT_LIMIT,
  decideReaction,
  decideRetry,
  TASK_CRASH_LIMIT,
  type ReactionFacts,
} from "./decide-retry.ts";
import type { Ledger } from "./ledger.ts";

const { landed, rejected, conflict, held, unsafe } = OUTCOMES;
const USED_UP: UsedUp = { level: "feature", why: "FEATURE_BUDGET_USD=5 is used up (5.02)" };
const start = building;
const poor = (ledger: Ledger) => apply(ledger, (now) => now, USED_UP);
const rich = (ledger: Ledger) => apply(ledger, (now) => now, null);

function handoff(ledger: Ledger, key: string, attempt: number, change: Partial<Handoff> = {}): Handoff {
  return handoffOf(byKey(ledger, key), attempt, change);
}

/** The reaction to an attempt of a build task that ended without a merge, unless the facts differ. */
const reactionTo = (facts: Partial<ReactionFacts> & { end?: Handoff["end"] } = {}) =>
  decideReaction({
    kind: "build",
    handoff: {
      end: facts.end ?? "submitted",
      outcome: "complete",
      summary: "done",
      checks: [...NO_NOTES.checks],
    },
    outcome: null,
    outOfBudget: null,
    ...facts,
  });

test("a conflict of a task is resolved, and a conflict of a resolve is retried without blame of its agent", () => {
  expect(reactionTo({ outcome: conflict })).toEqual({ kind: "resolve", conflict });
  expect(reactionTo({ kind: "resolve", outcome: conflict })).toEqual({
    kind: "retry",
    why: "It conflicts with the trunk in src/x.ts.\n- other work",
    counter: "conflicts",
  });
});

test("a protected path holds the task", () => {
  expect(reactionTo({ outcome: held })).toEqual({ kind: "hold", why: "swarm.json" });
});

test.each([rejected, unsafe])("an attempt that the merge refuses as $kind uses up an attempt", (outcome) => {
  expect(reactionTo({ outcome })).toMatchObject({ kind: "retry", counter: "attemptsUsed" });
});

test("an attempt whose commits the store has lost is run again, and nothing is counted", () => {
  const lost = { ...unsafe, why: "the store has no ref refs/swarm/a/1", lost: true } as const;
  expect(reactionTo({ outcome: lost })).toEqual({
    kind: "retry",
    why: "The work of the attempt before was lost: the store has no ref refs/swarm/a/1",
    counter: "crashes",
  });
});

test.each([
  ["failed", "attemptsUsed"],
  ["stuck", "attemptsUsed"],
  ["limit-reached", "attemptsUsed"],
  ["submitted", "attemptsUsed"],
  ["lost", "crashes"],
  ["resource", "crashes"],
  ["cancelled", "crashes"],
  ["budget", "crashes"],
] as const)("an attempt without commits that ended as %s is retried and uses up %s", (end, counter) => {
  expect(reactionTo({ end })).toMatchObject({ kind: "retry", counter });
});

test("an attempt that ended for lack of budget waits when the planner knows the budget to be used up", () => {
  expect(reactionTo({ end: "budget", outOfBudget: USED_UP })).toEqual({
    kind: "await-budget",
    why: USED_UP.why,
  });
});

const none = { attemptsUsed: 0, crashes: 0, conflicts: 0 };
const facts = { counts: none, counter: "attemptsUsed", attemptBudget: 3, maySend: true } as const;

test.each([
  ["attemptsUsed", 3],
  ["crashes", TASK_CRASH_LIMIT],
  ["conflicts", CONFLICT_LIMIT],
] as const)("a retry is sent until %s reaches %i, whatever the other counters", (counter, limit) => {
  const after = (used: number) =>
    decideRetry({
      ...facts,
      counter,
      counts: { attemptsUsed: 1, crashes: 1, conflicts: 1, [counter]: used },
    });
  expect(after(limit - 2)).toMatchObject({ kind: "send", counts: { [counter]: limit - 1 } });
  expect(after(limit - 1)).toMatchObject({ kind: "fail", counts: { [counter]: limit } });
});

test("a retry waits while the feature is paused or a budget is used up", () => {
  expect(decideRetry({ ...facts, maySend: false }).kind).toBe("wait");
  const last = { ...none, attemptsUsed: 2 };
  expect(decideRetry({ ...facts, counts: last, maySend: false }).kind).toBe("fail");
});

test("a red gate sends the next round with the output of the failed check, until the attempts are used up", () => {
  const ledger = start();
  const second = absorb(ledger, handoff(ledger, "a", 1), rejected);
  expect(byKey(second, "a")).toMatchObject({ status: "sent", round: 2, attemptsUsed: 1 });
  expect(byKey(second, "a").task.feedback).toContain("not ok");
  const over = absorb(second, handoff(second, "a", 2), rejected);
  expect([byKey(over, "a").status, byKey(over, "b").status]).toEqual(["failed", "blocked"]);
  expect(decideNext(over)).toMatchObject({ kind: "replan" });
});

test("a lost sandbox uses up no attempt", () => {
  const ledger = start();
  const after = absorb(ledger, handoff(ledger, "a", 1, { end: "lost", headCommit: null }), null);
  expect(byKey(after, "a")).toMatchObject({ status: "sent", round: 2, attemptsUsed: 0, crashes: 1 });
});

test("a resolve that conflicts again and again lands in the end, and its attempts are left for its own failures", () => {
  let ledger = absorb(start(), handoff(start(), "a", 1), conflict);
  for (let attempt = 1; attempt < CONFLICT_LIMIT; attempt += 1)
    ledger = absorb(ledger, handoff(ledger, "a-resolve", attempt), conflict);
  const record = byKey(ledger, "a-resolve");
  expect(record).toMatchObject({ status: "sent", attemptsUsed: 0, conflicts: CONFLICT_LIMIT - 1 });
  expect(record.reason).toContain("It conflicts with the trunk in src/x.ts");
  const done = absorb(ledger, handoff(ledger, "a-resolve", CONFLICT_LIMIT), landed);
  expect([byKey(done, "a-resolve").status, byKey(done, "b").status]).toEqual(["landed", "sent"]);
});

test("a resolve that conflicts without end is never resolved by another, and then planned again", () => {
  let ledger = absorb(start(), handoff(start(), "a", 1), conflict);
  for (let attempt = 1; attempt <= CONFLICT_LIMIT; attempt += 1)
    ledger = absorb(ledger, handoff(ledger, "a-resolve", attempt), conflict);
  expect(ledger.tasks.filter((record) => record.task.kind === "resolve")).toHaveLength(1);
  expect(byKey(ledger, "a-resolve").status).toBe("failed");
  expect(decideNext(ledger)).toMatchObject({ kind: "replan" });
});

test("the agent's reason and the failed checks are the feedback of the next round", () => {
  const ledger = start();
  const checks = [{ command: "npm test", exitCode: 1, durationMs: 1, outputTail: "1 !== 2" }];
  const failed = handoff(ledger, "a", 1, { end: "failed", reason: "no idea", checks, headCommit: null });
  const after = absorb(ledger, failed, null);
  expect(byKey(after, "a").task.feedback).toBe("no idea\n\n$ npm test (exit 1)\n1 !== 2");
});
test("an attempt that ended for lack of budget counts as no failure and is sent again later", () => {
  const waiting = poor(building([planned("a")]));
  const ended = absorb(waiting, handoffOf(byKey(waiting, "a"), 1, { end: "budget", headCommit: null }), null);
  expect(byKey(ended, "a")).toMatchObject({
    status: "ready",
    reason: USED_UP.why,
    attemptsUsed: 0,
    crashes: 0,
    costUsd: 0.5,
    tokens: 10,
  });
  expect(byKey(rich(ended), "a")).toMatchObject({ status: "sent", round: 2, reason: null });
});

test("an attempt that ended for lack of budget counts as a crash when the planner knows of no used-up budget", () => {
  const ledger = building([planned("a")]);
  const ended = absorb(ledger, handoffOf(byKey(ledger, "a"), 1, { end: "budget", headCommit: null }), null);
  expect(byKey(ended, "a")).toMatchObject({ status: "sent", round: 2, attemptsUsed: 0, crashes: 1 });
});

test("a failed attempt is ready with its feedback while a budget is used up", () => {
  const waiting = poor(building([planned("a")]));
  const failed = handoffOf(byKey(waiting, "a"), 1, { end: "failed", reason: "no idea", headCommit: null });
  const ended = absorb(waiting, failed, null);
  expect(byKey(ended, "a")).toMatchObject({ status: "ready", attemptsUsed: 1 });
  const after = byKey(rich(ended), "a");
  expect(after).toMatchObject({ status: "sent", round: 2 });
  expect(after.task.feedback).toBe("no idea");
});
