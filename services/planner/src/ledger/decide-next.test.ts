import { expect, test } from "vitest";
import { TRUNK_HEALTH } from "@agentswarm/contracts";
import { building, feature } from "../../testing/make-ledger.ts";
import { decideNext } from "./decide-next.ts";
import { newLedger, type Ledger, type TaskRecord } from "./ledger.ts";

/** The feature with its two tasks as they are said to be. */
function having(a: TaskRecord["status"], b: TaskRecord["status"], change: Partial<Ledger> = {}): Ledger {
  const ledger = building();
  const tasks = ledger.tasks.map((record, nth) => ({ ...record, status: nth === 0 ? a : b, reason: "why" }));
  return { ...ledger, tasks, ...change };
}

test("a new feature is planned", () => {
  expect(decideNext(newLedger(feature, "one"))).toEqual({ kind: "plan" });
});

test("nothing is decided while a task is under way", () => {
  expect(decideNext(having("sent", "failed")).kind).toBe("wait");
  expect(decideNext(having("sent", "held")).kind).toBe("wait");
});

test("when all has landed the model is asked", () => {
  expect(decideNext(having("landed", "landed")).kind).toBe("accept");
  expect(decideNext(having("cancelled", "landed")).kind).toBe("accept");
});

test("a held task holds the feature once nothing else goes on, and is said once", () => {
  const held = having("landed", "held");
  expect(decideNext(held)).toEqual({ kind: "hold", why: "b: why" });
  expect(decideNext({ ...held, status: "held" }).kind).toBe("wait");
});

test("a feature whose tasks all wait behind a held one is held too", () => {
  expect(decideNext(having("held", "planned")).kind).toBe("hold");
});

test("what failed is planned anew with the reasons, and after the last round fails the feature", () => {
  expect(decideNext(having("failed", "blocked"))).toEqual({ kind: "replan", why: "a: why\nb: why" });
  expect(decideNext(having("failed", "blocked", { planningRound: 3 })).kind).toBe("fail");
});

test("planning ends after three rounds with what was wrong", () => {
  const planning = { status: "planning", planningWhy: "the plan has no task" } as const;
  expect(decideNext(having("landed", "landed", { ...planning, planningRound: 3 })).kind).toBe("plan");
  expect(decideNext(having("landed", "landed", { ...planning, planningRound: 4 }))).toEqual({
    kind: "fail",
    why: "3 planning rounds were not enough: the plan has no task",
  });
});

test("a feature that waits for green is given up after three sweeps that were not", () => {
  const sweeps = (count: number) =>
    having("landed", "landed", { status: "verifying", redSweeps: Array.from({ length: count }, String) });
  expect([decideNext(sweeps(2)).kind, decideNext(sweeps(3)).kind]).toEqual(["wait", "fail"]);
});

test.each(["done", "failed", "cancelled"] as const)("a feature that is %s needs nothing", (status) => {
  expect(decideNext(having("failed", "landed", { status })).kind).toBe("wait");
});

test("trunk health is neither planned nor accepted nor given up", () => {
  const health = { ...feature, id: TRUNK_HEALTH };
  expect(decideNext(having("failed", "landed", { feature: health })).kind).toBe("wait");
  expect(decideNext(having("landed", "landed", { feature: health })).kind).toBe("wait");
});
