import { expect, test } from "vitest";
import { TRUNK_HEALTH } from "@agentswarm/contracts";
import {
  absorb,
  apply,
  building,
  byKey,
  feature,
  handoffOf,
  OUTCOMES,
  statuses,
} from "../../testing/make-ledger.ts";
import { decideNext } from "./decide-next.ts";
import { newLedger, type Ledger } from "./ledger.ts";
import { cancelFeature } from "./person-actions.ts";
import { retryFeature } from "./retry-feature.ts";
import { refusePlanning, replan, takeStep } from "./steps.ts";

const retried = (ledger: Ledger) => apply(ledger, (now) => retryFeature(now, "ada"));
const ended = (ledger: Ledger): Ledger => ({ ...ledger, status: "failed", reason: "why", finishedAt: 9 });
const handedOver = (ledger: Ledger, key: string, attempt: number, kind: keyof typeof OUTCOMES) =>
  absorb(ledger, handoffOf(byKey(ledger, key), attempt), OUTCOMES[kind]);
/** A feature whose only way on is a new plan, in its third round. */
const planning = () => replan(replan(newLedger(feature, "one"), "first"), "it conflicts");

test("a feature whose plans were refused is planned again, and its refusals and rounds count anew", () => {
  let ledger: Ledger = planning();
  for (let nth = 0; nth < 3; nth += 1) ledger = refusePlanning(ledger, "no task");
  const failed = takeStep(ledger, decideNext(ledger), 9);
  expect(failed.status).toBe("failed");
  const open = retried(failed);
  expect(open).toMatchObject({
    status: "planning",
    reason: "retried by ada",
    finishedAt: null,
    planningRound: 3,
    planningWhy: "it conflicts",
    refusedPlans: 0,
  });
  expect(decideNext(open).kind).toBe("plan");
  expect(
    [replan(open, "a"), replan(replan(replan(open, "a"), "b"), "c")].map((one) => decideNext(one).kind),
  ).toEqual(["plan", "fail"]);
});

test("a feature that used up its planning rounds has three again", () => {
  const failed = takeStep(replan(planning(), "more"), decideNext(replan(planning(), "more")), 9);
  expect(failed.reason).toContain("3 planning rounds were not enough");
  expect(decideNext(retried(failed))).toEqual({ kind: "plan" });
});

test("tasks that failed or were blocked are built again with a fresh attempt budget, and what landed stays", () => {
  const landed = handedOver(building(), "a", 1, "landed");
  const failed = handedOver(handedOver(landed, "b", 1, "rejected"), "b", 2, "rejected");
  expect(statuses(failed)).toEqual(["a landed", "b failed"]);
  const open = retried(ended(failed));
  expect(open.status).toBe("building");
  expect(statuses(open)).toEqual(["a landed", "b sent"]);
  expect(byKey(open, "b")).toMatchObject({ round: 3, attemptsUsed: 0 });
});

test("a cancelled feature goes on with the tasks that the cancel ended, and with no other", () => {
  const conflicted = handedOver(building(), "a", 1, "conflict");
  const cancelled = apply(conflicted, (now) => cancelFeature(now, "bob", 9));
  expect(statuses(cancelled)).toEqual(["a cancelled", "b cancelled", "a-resolve cancelled"]);
  expect(statuses(retried(cancelled))).toEqual(["a cancelled", "b planned", "a-resolve sent"]);
  const again = apply(retried(cancelled), (now) => cancelFeature(now, "bob", 10));
  expect(again).toMatchObject({ status: "cancelled", finishedAt: 10 });
});

test("a feature that failed by red sweeps waits for green again, with a new sweep", () => {
  const ledger = { ...ended(building()), redSweeps: ["1", "2", "3"] };
  const open = retried(ledger);
  expect(open).toMatchObject({ status: "verifying", redSweeps: [] });
  expect(open.pending.slice(ledger.pending.length).map((effect) => effect.kind)).toContain("sweep");
});

test("a feature that failed before it had a plan is planned", () => {
  expect(retried(ended(newLedger(feature, "one"))).status).toBe("planning");
});

test("a feature that goes on, is done, or is trunk health is not retried", () => {
  for (const status of ["building", "verifying", "done"] as const) {
    const ledger: Ledger = { ...building(), status };
    expect(retryFeature(ledger, "ada")).toBe(ledger);
  }
  const health = ended({ ...building(), feature: { ...feature, id: TRUNK_HEALTH } });
  expect(retryFeature(health, "ada")).toBe(health);
});
