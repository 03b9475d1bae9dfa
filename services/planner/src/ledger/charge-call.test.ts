import { expect, test } from "vitest";
import { NO_USAGE } from "@agentswarm/llm";
import { building, RULES } from "../../testing/make-ledger.ts";
import { chargeCall, type PaidCall } from "./charge-call.ts";
import { effectId } from "./effects-between.ts";
import { applyStep } from "./apply-step.ts";
import type { Ledger } from "./ledger.ts";

const call = (nth: number): PaidCall => ({
  id: `model-used-plan-feature-1-${nth}`,
  role: "plan",
  model: "m",
  usage: { ...NO_USAGE, tokensIn: 100, tokensOut: 10, costUsd: 0.25, backend: "b" },
});
const charge = (ledger: Ledger, nth: number) =>
  applyStep(ledger, (now) => now && chargeCall(now, call(nth)), {
    usedUp: null,
    version: 9,
    at: 1,
    reviews: null,
    rules: RULES,
  }) ?? ledger;

test("a model call of the planner is in the feature's sums, and they are emitted with its model.used", () => {
  const ledger = { ...building(), pending: [] };
  const charged = charge(ledger, 1);
  expect(charged).toMatchObject({ costUsd: 0.25, tokens: 110 });
  expect(charged.pending).toMatchObject([
    { kind: "emit", event: { id: call(1).id, type: "model.used", featureId: "feature-1", repoId: "main" } },
    { kind: "emit", event: { type: "feature.changed", data: { costUsd: 0.25, tokens: 110 } } },
  ]);
});

test("a call that is charged twice counts once", () => {
  const once = charge(building(), 1);
  expect(charge(once, 1)).toBe(once);
  expect(charge(once, 2).costUsd).toBe(0.5);
});

test("only the newest calls are remembered, so that a ledger does not grow with them", () => {
  let ledger = building();
  for (let nth = 1; nth <= 150; nth += 1) ledger = charge({ ...ledger, pending: [] }, nth);
  expect(ledger.chargedCalls).toHaveLength(100);
  expect(ledger.pending.map(effectId)).toContain(`emit/${call(150).id}`);
  expect(ledger.costUsd).toBe(37.5);
});
