import { expect, test } from "vitest";
import type { Handoff } from "@agentswarm/contracts";
import {
  absorb,
  building as start,
  byKey,
  commit,
  DEFAULTS,
  handoffOf,
  OUTCOMES,
  planned,
} from "../../testing/make-ledger.ts";
import { decideNext } from "./decide-next.ts";
import { findRecord } from "./find-tasks.ts";
import { withRecord, type Ledger } from "./ledger.ts";
import { taskRecordSchema } from "./task-record.ts";

const { landed, rejected, conflict, held } = OUTCOMES;

function handoff(ledger: Ledger, key: string, attempt: number, change: Partial<Handoff> = {}): Handoff {
  return handoffOf(byKey(ledger, key), attempt, change);
}

test("a task is sent when its dependencies have landed", () => {
  const ledger = start();
  expect([byKey(ledger, "a").status, byKey(ledger, "b").status]).toEqual(["sent", "planned"]);
  const after = absorb(ledger, handoff(ledger, "a", 1), landed);
  expect([byKey(after, "a").status, byKey(after, "b").status]).toEqual(["landed", "sent"]);
});

test("absorbing the same handoff twice changes nothing the second time", () => {
  const ledger = start();
  const given = handoff(ledger, "a", 1);
  for (const outcome of [landed, rejected, conflict]) {
    const once = absorb(ledger, given, outcome);
    expect(absorb(once, given, outcome)).toEqual(once);
    expect(once.costUsd).toBe(0.5);
  }
});

test("a conflict makes one resolve task, and the landing of that task releases dependents", () => {
  const ledger = start();
  const after = absorb(ledger, handoff(ledger, "a", 1), conflict);
  const resolve = byKey(after, "a-resolve");
  expect(resolve).toMatchObject({
    status: "sent",
    task: { kind: "resolve", parentId: byKey(after, "a").task.id },
  });
  expect(byKey(after, "a")).toMatchObject({ status: "cancelled", supersededBy: resolve.task.id });
  const done = absorb(after, handoff(after, "a-resolve", 1), landed);
  expect(byKey(done, "b").status).toBe("sent");
});

test("of an earlier round only a landing is recorded", () => {
  const ledger = start();
  const old = handoff(ledger, "a", 1);
  const second = absorb(ledger, old, rejected);
  const stale = absorb(second, { ...old, attempt: 9 }, rejected);
  expect(byKey(stale, "a")).toMatchObject({ status: "sent", round: 2 });
  expect(findRecord(absorb(second, { ...old, attempt: 9 }, landed), old.taskId)?.status).toBe("landed");
});

test("a protected path holds the task for a person", () => {
  const ledger = start();
  const after = absorb(ledger, handoff(ledger, "a", 1), held);
  expect(byKey(after, "a")).toMatchObject({ status: "held", reason: "swarm.json" });
});

test("resolves of the same file run one after the other, also when the first one fails", () => {
  const plan = [planned("a"), planned("b"), planned("c")];
  let ledger = start(plan, { ...DEFAULTS, attemptBudget: 1 });
  for (const key of ["a", "b", "c"]) ledger = absorb(ledger, handoff(ledger, key, 1), conflict);
  const states = () => ["a", "b", "c"].map((key) => byKey(ledger, `${key}-resolve`).status);
  expect(states()).toEqual(["sent", "planned", "planned"]);
  ledger = absorb(ledger, handoff(ledger, "a-resolve", 2), landed);
  expect(states()).toEqual(["landed", "sent", "planned"]);
  ledger = absorb(ledger, handoff(ledger, "b-resolve", 2), rejected);
  expect(states()).toEqual(["landed", "failed", "sent"]);
});

test("the resolve of a conflict in more files than a scope may name can be written: it has no scope", () => {
  const ledger = start();
  const { task } = byKey(ledger, "a");
  const narrow = withRecord(ledger, task.id, { task: { ...task, scope: ["src/**", "test/**"] } });
  const path = (nth: number) => ({ ...conflict.paths[0], path: `src/x-${nth}.ts` });
  const wide = { ...conflict, paths: Array.from({ length: 199 }, (_, nth) => path(nth)) };
  const resolve = byKey(absorb(narrow, handoff(narrow, "a", 1), wide), "a-resolve");
  expect(taskRecordSchema.parse(resolve).task.scope).toEqual([]);
  const few = byKey(absorb(narrow, handoff(narrow, "a", 1), conflict), "a-resolve");
  expect(few.task.scope).toEqual(["src/**", "test/**", "src/x.ts"]);
});

test("the cost of an attempt that was held and then landed counts once", () => {
  const after = absorb(start(), handoff(start(), "a", 1), held);
  expect(absorb(after, handoff(after, "a", 1), landed).costUsd).toBe(0.5);
});

test("tasks blocked by a failed task are sent when it lands late", () => {
  const ledger = start();
  let over = ledger;
  for (const attempt of [1, 2]) over = absorb(over, handoff(over, "a", attempt), rejected);
  expect(byKey(over, "b").status).toBe("blocked");
  const after = absorb(over, { ...handoff(ledger, "a", 3), round: 1 }, landed);
  expect(byKey(after, "a").status).toBe("landed");
  expect(byKey(after, "b")).toMatchObject({ status: "sent", reason: null });
});

test("a resolve is cancelled when the task that it replaces lands itself", () => {
  const ledger = start();
  const after = absorb(ledger, handoff(ledger, "a", 1), conflict);
  const done = absorb(after, handoff(ledger, "a", 2), landed);
  expect(byKey(done, "a-resolve")).toMatchObject({ status: "cancelled" });
  expect(byKey(done, "b").status).toBe("sent");
  expect(decideNext(done).kind).toBe("wait");
});

test("an ended feature records late handoffs without acting on them", () => {
  const ended: Ledger = { ...start(), status: "failed" };
  const after = absorb(ended, handoff(ended, "a", 1), landed);
  expect(after.tasks.map((record) => record.status)).toEqual(["landed", "planned"]);
  expect(after.costUsd).toBe(0.5);
  const failed = absorb(ended, handoff(ended, "a", 1), rejected);
  expect(byKey(failed, "a")).toMatchObject({ status: "sent", round: 1 });
});

test("a task whose work the trunk has already is landed, says so, and frees the tasks that depend on it", () => {
  const before = start();
  const outcome = { kind: "already-landed", commit, empty: true } as const;
  const after = absorb(before, handoffOf(byKey(before, "a"), 1), outcome);
  expect(byKey(after, "a")).toMatchObject({ status: "landed", commit, attemptsUsed: 0 });
  expect(byKey(after, "a").reason).toContain("nothing was left to land");
  expect(byKey(after, "b").status).toBe("sent");
});
