import { expect, test } from "vitest";
import type { Handoff } from "@agentswarm/contracts";
import {
  absorb,
  building as start,
  byKey,
  DEFAULTS,
  handoffOf,
  OUTCOMES,
  planned,
} from "../../testing/make-ledger.ts";
import { decideNext } from "./decide-next.ts";
import { findRecord, type Ledger } from "./ledger.ts";

const { landed, rejected, conflict, held } = OUTCOMES;

function handoff(ledger: Ledger, key: string, attempt: number, change: Partial<Handoff> = {}): Handoff {
  return handoffOf(byKey(ledger, key), attempt, change);
}

test("a task is sent when what it depends on has landed, and not before", () => {
  const ledger = start();
  expect([byKey(ledger, "a").status, byKey(ledger, "b").status]).toEqual(["sent", "planned"]);
  const after = absorb(ledger, handoff(ledger, "a", 1), landed);
  expect([byKey(after, "a").status, byKey(after, "b").status]).toEqual(["landed", "sent"]);
});

test("the same handoff twice changes nothing the second time, the cost included", () => {
  const ledger = start();
  const given = handoff(ledger, "a", 1);
  for (const outcome of [landed, rejected, conflict]) {
    const once = absorb(ledger, given, outcome);
    expect(absorb(once, given, outcome)).toEqual(once);
    expect(once.costUsd).toBe(0.5);
  }
});

test("a conflict makes one resolve task in its place, and its landing lets dependents go", () => {
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

test("a handoff of an earlier round is not acted on, but a late landing is recorded", () => {
  const ledger = start();
  const old = handoff(ledger, "a", 1);
  const second = absorb(ledger, old, rejected);
  const stale = absorb(second, { ...old, attempt: 9 }, rejected);
  expect(byKey(stale, "a")).toMatchObject({ status: "sent", round: 2 });
  expect(findRecord(absorb(second, { ...old, attempt: 9 }, landed), old.taskId)?.status).toBe("landed");
});

test("a protected path holds the feature for a person", () => {
  const ledger = start();
  const after = absorb(ledger, handoff(ledger, "a", 1), held);
  expect(byKey(after, "a")).toMatchObject({ status: "held", reason: "swarm.json" });
});

test("resolves of the same file run one after the other, whatever becomes of the one before", () => {
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

test("an attempt that was held and then landed has cost once", () => {
  const after = absorb(start(), handoff(start(), "a", 1), held);
  expect(absorb(after, handoff(after, "a", 1), landed).costUsd).toBe(0.5);
});

test("what waits for a task that was given up goes on when it lands after all", () => {
  const ledger = start();
  let over = ledger;
  for (const attempt of [1, 2]) over = absorb(over, handoff(over, "a", attempt), rejected);
  expect(byKey(over, "b").status).toBe("blocked");
  const after = absorb(over, { ...handoff(ledger, "a", 3), round: 1 }, landed);
  expect(byKey(after, "a").status).toBe("landed");
  expect(byKey(after, "b")).toMatchObject({ status: "sent", reason: null });
});

test("a resolve is called off when the task it stands for lands itself", () => {
  const ledger = start();
  const after = absorb(ledger, handoff(ledger, "a", 1), conflict);
  const done = absorb(after, handoff(ledger, "a", 2), landed);
  expect(byKey(done, "a-resolve")).toMatchObject({ status: "cancelled" });
  expect(byKey(done, "b").status).toBe("sent");
  expect(decideNext(done).kind).toBe("wait");
});

test("an ended feature takes note of what comes late, and does nothing about it", () => {
  const ended: Ledger = { ...start(), status: "cancelled" };
  const after = absorb(ended, handoff(ended, "a", 1), landed);
  expect(after.tasks.map((record) => record.status)).toEqual(["landed", "planned"]);
  expect(after.costUsd).toBe(0.5);
  const failed = absorb(ended, handoff(ended, "a", 1), rejected);
  expect(byKey(failed, "a")).toMatchObject({ status: "sent", round: 1 });
});
