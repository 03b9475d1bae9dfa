import { expect, test } from "vitest";
import { TRUNK_HEALTH } from "@agentswarm/contracts";
import { building, byKey, feature, handoffOf, OUTCOMES, planned, statuses } from "../testing/make-ledger.ts";
import { absorbHandoff } from "./ledger/absorb-handoff.ts";
import { decideNext } from "./ledger/decide-next.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { cancelFeature, decideHeld, retryTask } from "./people.ts";

const settled = (ledger: Ledger, key: string, attempt: number, kind: keyof typeof OUTCOMES) =>
  absorbHandoff(ledger, handoffOf(byKey(ledger, key), attempt), OUTCOMES[kind]);
const failed = () => settled(settled(building(), "a", 1, "rejected"), "a", 2, "rejected");
const idOf = (ledger: Ledger, key: string) => byKey(ledger, key).task.id;

test("cancelling ends the feature and all that is open of it; what landed stays landed", () => {
  const ledger = settled(building(), "a", 1, "landed");
  const ended = cancelFeature(ledger, "ada", 9);
  expect(ended).toMatchObject({ status: "cancelled", reason: "cancelled by ada", finishedAt: 9 });
  expect(statuses(ended)).toEqual(["a landed", "b cancelled"]);
  expect(cancelFeature(ended, "bob", 10)).toBe(ended);
});

test("cancelling trunk health cancels its fixes, and the next failure is mended again", () => {
  const health: Ledger = { ...building(), feature: { ...feature, id: TRUNK_HEALTH } };
  const cancelled = cancelFeature(health, "ada", 9);
  expect(cancelled.status).toBe("building");
  expect(statuses(cancelled)).toEqual(["a cancelled", "b cancelled"]);
  expect(cancelFeature(cancelled, "ada", 9)).toBe(cancelled);
});

test("a retry opens the task with a fresh budget, and what it had blocked", () => {
  const ended: Ledger = { ...failed(), status: "failed", reason: "a: not ok", finishedAt: 9 };
  expect(statuses(ended)).toEqual(["a failed", "b blocked"]);
  const open = retryTask(ended, idOf(ended, "a"), "ada");
  expect(open).toMatchObject({ status: "building", reason: "retried by ada", finishedAt: null });
  expect(byKey(open, "a")).toMatchObject({ status: "sent", round: 3, attemptsUsed: 0 });
  expect(byKey(open, "b").status).toBe("planned");
});

test("only what ended without landing can be retried, and nothing that another task stands for", () => {
  const landed = settled(building(), "a", 1, "landed");
  expect(retryTask(landed, idOf(landed, "a"), "ada")).toBe(landed);
  expect(retryTask(landed, idOf(landed, "b"), "ada")).toBe(landed);
  const superseded = settled(building(), "a", 1, "conflict");
  expect(retryTask(superseded, idOf(superseded, "a"), "ada")).toBe(superseded);
  expect(retryTask(landed, "nobody", "ada")).toBe(landed);
});

const decide = (ledger: Ledger, decision: "approve" | "refuse", reason?: string) =>
  decideHeld(ledger, {
    kind: "approve",
    taskId: idOf(ledger, "a"),
    decision,
    by: "ada",
    ...(reason === undefined ? {} : { reason }),
  });
/** A feature that waits for a person. */
function heldFeature(): Ledger {
  const ledger = settled(building([planned("a")]), "a", 1, "held");
  return { ...ledger, status: "held", reason: "a: swarm.json" };
}

test("an approval goes with the next round, and with no other", () => {
  const approved = decide(heldFeature(), "approve");
  expect(approved).toMatchObject({ status: "building", reason: null });
  expect(byKey(approved, "a")).toMatchObject({ status: "sent", round: 2, approvedBy: "ada" });
  expect(byKey(settled(approved, "a", 1, "rejected"), "a")).toMatchObject({ round: 3, approvedBy: null });
});

test("a refusal costs an attempt and tells the agent why; over budget the task has failed", () => {
  const refused = decide(heldFeature(), "refuse", "leave it alone");
  expect(byKey(refused, "a")).toMatchObject({ status: "sent", round: 2, attemptsUsed: 1 });
  expect(byKey(refused, "a").task.feedback).toBe("refused by ada: leave it alone");
  const again = decide(settled(refused, "a", 2, "held"), "refuse");
  expect(byKey(again, "a").status).toBe("failed");
  expect(decideNext(again).kind).toBe("replan");
});

test("a decision about what is not held changes nothing", () => {
  const ledger = building();
  expect(decide(ledger, "approve")).toBe(ledger);
  const decided = decide(heldFeature(), "approve");
  expect(decide(decided, "refuse")).toBe(decided);
});
