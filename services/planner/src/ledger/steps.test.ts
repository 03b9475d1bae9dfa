import { expect, test } from "vitest";
import { feature } from "../../testing/make-ledger.ts";
import { newLedger, type Ledger } from "./ledger.ts";
import { inPlanningTurn, refusePlanning, replan } from "./steps.ts";

const asked: Ledger = { ...newLedger(feature, "one"), status: "planning" };
const taken = (now: Ledger) => inPlanningTurn(now, asked, (same) => ({ ...same, reason: "taken" }))?.reason;

test("the answer to the question of this round is taken", () => {
  expect(taken({ ...asked, costUsd: 1 })).toBe("taken");
});

test.each([
  ["an earlier round", replan(asked, "again")],
  ["an earlier plan of this round", refusePlanning(asked, "no")],
  ["a feature that has a plan", { ...asked, status: "building" as const }],
  ["a feature that ended", { ...asked, status: "cancelled" as const }],
])("the answer to the question of %s is dropped", (_, now) => {
  expect(inPlanningTurn(now, asked, () => asked)).toBe(now);
});
