import { expect, test } from "vitest";
import { TRUNK_HEALTH } from "@agentswarm/contracts";
import { building, feature } from "../../testing/make-ledger.ts";
import { decideNext } from "./decide-next.ts";
import { newLedger, type Ledger } from "./ledger.ts";
import { refusePlanning, replan } from "./steps.ts";
import type { TaskRecord } from "./task-record.ts";

/** The feature with its two tasks in these states. */
function having(a: TaskRecord["status"], b: TaskRecord["status"], change: Partial<Ledger> = {}): Ledger {
  const ledger = building();
  const tasks = ledger.tasks.map((record, nth) => ({ ...record, status: nth === 0 ? a : b, reason: "why" }));
  return { ...ledger, tasks, ...change };
}

test("a new feature is planned", () => {
  expect(decideNext(newLedger(feature, "one"))).toEqual({ kind: "plan" });
});

test("a feature waits while a task is under way", () => {
  expect(decideNext(having("sent", "failed")).kind).toBe("wait");
  expect(decideNext(having("sent", "held")).kind).toBe("wait");
});

test("a feature whose tasks have landed is judged by the model", () => {
  expect(decideNext(having("landed", "landed")).kind).toBe("accept");
  expect(decideNext(having("cancelled", "landed")).kind).toBe("accept");
});

test("a held task holds the feature once no other task is under way", () => {
  const held = having("landed", "held");
  expect(decideNext(held)).toEqual({ kind: "hold", why: "b: why" });
  expect(decideNext({ ...held, status: "held" }).kind).toBe("wait");
});

test("a feature whose tasks all wait for a held one is held", () => {
  expect(decideNext(having("held", "planned")).kind).toBe("hold");
});

test("failed tasks are planned again until the last planning round", () => {
  expect(decideNext(having("failed", "blocked"))).toEqual({ kind: "replan", why: "a: why\nb: why" });
  expect(decideNext(having("failed", "blocked", { planningRound: 3 })).kind).toBe("fail");
});

test("planning fails after three rounds with the last reason", () => {
  const planning = { status: "planning", planningWhy: "the plan has no task" } as const;
  expect(decideNext(having("landed", "landed", { ...planning, planningRound: 3 })).kind).toBe("plan");
  expect(decideNext(having("landed", "landed", { ...planning, planningRound: 4 }))).toEqual({
    kind: "fail",
    why: "3 planning rounds were not enough: the plan has no task",
  });
});

test("planning fails after three refused plans, with the reason of the round, and refusals use up no round", () => {
  const planning = { status: "planning", planningWhy: "a: it conflicts", planningRound: 2 } as const;
  let ledger = having("failed", "landed", planning);
  for (let refusals = 0; refusals < 3; refusals += 1) {
    expect(decideNext(ledger).kind).toBe("plan");
    ledger = refusePlanning(ledger, `it has no task ${refusals}`);
  }
  expect(ledger).toMatchObject({ planningRound: 2, planningWhy: "a: it conflicts" });
  expect(decideNext(ledger)).toEqual({
    kind: "fail",
    why: "3 plans were refused: it has no task 2\nIt was planned again because: a: it conflicts",
  });
  expect(replan(ledger, "again")).toMatchObject({ refusedPlans: 0, refusal: "" });
});

test("a feature that waits for green fails after three red sweeps", () => {
  const sweeps = (count: number) =>
    having("landed", "landed", { status: "verifying", redSweeps: Array.from({ length: count }, String) });
  expect([decideNext(sweeps(2)).kind, decideNext(sweeps(3)).kind]).toEqual(["wait", "fail"]);
});

test.each(["done", "failed", "cancelled"] as const)("a feature that is %s needs nothing", (status) => {
  expect(decideNext(having("failed", "landed", { status })).kind).toBe("wait");
});

test("trunk health is never planned, accepted or failed", () => {
  const health = { ...feature, id: TRUNK_HEALTH };
  expect(decideNext(having("failed", "landed", { feature: health })).kind).toBe("wait");
  expect(decideNext(having("landed", "landed", { feature: health })).kind).toBe("wait");
});

test("trunk health is held while a fix waits for a person and no other fix is under way, so that people see it", () => {
  const held = having("landed", "held", { feature: { ...feature, id: TRUNK_HEALTH } });
  expect(decideNext(held)).toEqual({ kind: "hold", why: "b: why" });
  expect(decideNext({ ...held, status: "held" }).kind).toBe("wait");
  expect(decideNext(having("sent", "held", { feature: held.feature })).kind).toBe("wait");
});
