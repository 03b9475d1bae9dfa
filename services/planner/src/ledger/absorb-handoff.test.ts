import { expect, test } from "vitest";
import { NO_METRICS, NO_NOTES, type Handoff, type MergeOutcome } from "@agentswarm/contracts";
import { absorbHandoff } from "./absorb-handoff.ts";
import { adoptPlan } from "./adopt-plan.ts";
import { decideNext } from "./decide-next.ts";
import { findRecord, newLedger, type Ledger } from "./ledger.ts";
import { plannedTaskSchema } from "./validate-plan.ts";

const feature = {
  id: "feature-1",
  title: "One",
  description: "",
  acceptance: [],
  priority: 5,
  source: "rest" as const,
  createdAt: 1,
};
const planned = (key: string, ...dependsOn: string[]) =>
  plannedTaskSchema.parse({ key, title: key, description: "", dependsOn });
const start = () =>
  adoptPlan(newLedger(feature, "one"), [planned("a"), planned("b", "a")], {
    attemptBudget: 2,
    wallMs: 1_000,
  });

const commit = "c".repeat(40);
const landed: MergeOutcome = { kind: "landed", commit, tree: "d".repeat(40), group: 1 };
const conflict: MergeOutcome = {
  kind: "conflict",
  base: commit,
  theirIntent: "- other work",
  paths: [{ path: "src/x.ts", base: commit, ours: commit, theirs: commit }],
};
const rejected: MergeOutcome = { kind: "rejected", check: "test", outputTail: "not ok" };

const byKey = (ledger: Ledger, key: string) => {
  const record = ledger.tasks.find((one) => one.task.key === key);
  if (record === undefined) throw new Error(`no task ${key}`);
  return record;
};
function handoff(ledger: Ledger, key: string, attempt: number, change: Partial<Handoff> = {}): Handoff {
  const { task, round } = byKey(ledger, key);
  return {
    taskId: task.id,
    attempt,
    round,
    outcome: "complete",
    end: "submitted",
    summary: "done",
    ...NO_NOTES,
    metrics: { ...NO_METRICS, tokensIn: 10, costUsd: 0.5 },
    headCommit: commit,
    model: "m",
    ...change,
  };
}

test("a task is sent when what it depends on has landed, and not before", () => {
  const ledger = start();
  expect([byKey(ledger, "a").status, byKey(ledger, "b").status]).toEqual(["sent", "planned"]);
  const after = absorbHandoff(ledger, handoff(ledger, "a", 1), landed);
  expect([byKey(after, "a").status, byKey(after, "b").status]).toEqual(["landed", "sent"]);
});

test("the same handoff twice changes nothing the second time, the cost included", () => {
  const ledger = start();
  const given = handoff(ledger, "a", 1);
  for (const outcome of [landed, rejected, conflict]) {
    const once = absorbHandoff(ledger, given, outcome);
    expect(absorbHandoff(once, given, outcome)).toEqual(once);
    expect(once.costUsd).toBe(0.5);
  }
});

test("a red gate sends the next round with what failed, and the budget ends it", () => {
  const ledger = start();
  const second = absorbHandoff(ledger, handoff(ledger, "a", 1), rejected);
  expect(byKey(second, "a")).toMatchObject({ status: "sent", round: 2, attemptsUsed: 1 });
  expect(byKey(second, "a").task.feedback).toContain("not ok");
  const over = absorbHandoff(second, handoff(second, "a", 2), rejected);
  expect([byKey(over, "a").status, byKey(over, "b").status]).toEqual(["failed", "blocked"]);
  expect(decideNext(over)).toMatchObject({ kind: "replan" });
});

test("a lost sandbox uses no attempt", () => {
  const ledger = start();
  const after = absorbHandoff(ledger, handoff(ledger, "a", 1, { end: "lost", headCommit: null }), null);
  expect(byKey(after, "a")).toMatchObject({ status: "sent", round: 2, attemptsUsed: 0, crashes: 1 });
});

test("a conflict makes one resolve task in its place, and its landing lets dependents go", () => {
  const ledger = start();
  const after = absorbHandoff(ledger, handoff(ledger, "a", 1), conflict);
  const resolve = byKey(after, "a-resolve");
  expect(resolve).toMatchObject({
    status: "sent",
    task: { kind: "resolve", parentId: byKey(after, "a").task.id },
  });
  expect(byKey(after, "a")).toMatchObject({ status: "cancelled", supersededBy: resolve.task.id });
  const done = absorbHandoff(after, handoff(after, "a-resolve", 1), landed);
  expect(byKey(done, "b").status).toBe("sent");
});

test("a resolve that conflicts again is never resolved by another: it runs anew, and then planning has it", () => {
  let ledger = absorbHandoff(start(), handoff(start(), "a", 1), conflict);
  for (const attempt of [1, 2])
    ledger = absorbHandoff(ledger, handoff(ledger, "a-resolve", attempt), conflict);
  expect(ledger.tasks.filter((record) => record.task.kind === "resolve")).toHaveLength(1);
  expect(byKey(ledger, "a-resolve").status).toBe("failed");
  expect(decideNext(ledger)).toMatchObject({ kind: "replan" });
});

test("a handoff of an earlier round is not acted on, but a late landing is recorded", () => {
  const ledger = start();
  const old = handoff(ledger, "a", 1);
  const second = absorbHandoff(ledger, old, rejected);
  const stale = absorbHandoff(second, { ...old, attempt: 9 }, rejected);
  expect(byKey(stale, "a")).toMatchObject({ status: "sent", round: 2 });
  expect(findRecord(absorbHandoff(second, { ...old, attempt: 9 }, landed), old.taskId)?.status).toBe(
    "landed",
  );
});

test("a protected path holds the feature for a person", () => {
  const ledger = start();
  const after = absorbHandoff(ledger, handoff(ledger, "a", 1), {
    kind: "held",
    why: "swarm.json",
    base: commit,
  });
  expect(byKey(after, "a")).toMatchObject({ status: "held", reason: "swarm.json" });
});

test("resolves of the same file run one after the other, whatever becomes of the one before", () => {
  const plan = [planned("a"), planned("b"), planned("c")];
  let ledger = adoptPlan(newLedger(feature, "one"), plan, { attemptBudget: 1, wallMs: 1_000 });
  for (const key of ["a", "b", "c"]) ledger = absorbHandoff(ledger, handoff(ledger, key, 1), conflict);
  const states = () => ["a", "b", "c"].map((key) => byKey(ledger, `${key}-resolve`).status);
  expect(states()).toEqual(["sent", "planned", "planned"]);
  ledger = absorbHandoff(ledger, handoff(ledger, "a-resolve", 2), landed);
  expect(states()).toEqual(["landed", "sent", "planned"]);
  ledger = absorbHandoff(ledger, handoff(ledger, "b-resolve", 2), rejected);
  expect(states()).toEqual(["landed", "failed", "sent"]);
});
