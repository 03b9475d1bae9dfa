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
  planned,
  statuses,
} from "../../testing/make-ledger.ts";
import { decideNext } from "./decide-next.ts";
import type { Ledger } from "./ledger.ts";
import { decideHeld } from "./decisions/held-landing.ts";
import { cancelFeature, retryTask } from "./person-actions.ts";

const handedOver = (ledger: Ledger, key: string, attempt: number, kind: keyof typeof OUTCOMES) =>
  absorb(ledger, handoffOf(byKey(ledger, key), attempt), OUTCOMES[kind]);
const failed = () => handedOver(handedOver(building(), "a", 1, "rejected"), "a", 2, "rejected");
const idOf = (ledger: Ledger, key: string) => byKey(ledger, key).task.id;

test("cancelling ends the feature and its open tasks", () => {
  const ledger = handedOver(building(), "a", 1, "landed");
  const ended = cancel(ledger, "ada", 9);
  expect(ended).toMatchObject({ status: "cancelled", reason: "cancelled by ada", finishedAt: 9 });
  expect(statuses(ended)).toEqual(["a landed", "b cancelled"]);
  expect(cancel(ended, "bob", 10)).toBe(ended);
});

test("cancelling trunk health cancels its fixes without ending it", () => {
  const health: Ledger = { ...building(), feature: { ...feature, id: TRUNK_HEALTH } };
  const cancelled = cancel(health, "ada", 9);
  expect(cancelled.status).toBe("building");
  expect(statuses(cancelled)).toEqual(["a cancelled", "b cancelled"]);
  expect(cancel(cancelled, "ada", 9)).toBe(cancelled);
});

test("a retry reopens the task with a fresh budget, and its dependents", () => {
  const ended: Ledger = { ...failed(), status: "failed", reason: "a: not ok", finishedAt: 9 };
  expect(statuses(ended)).toEqual(["a failed", "b blocked"]);
  const open = retried(ended, idOf(ended, "a"));
  expect(open).toMatchObject({ status: "building", reason: "retried by ada", finishedAt: null });
  expect(byKey(open, "a")).toMatchObject({ status: "sent", round: 3, attemptsUsed: 0 });
  expect(byKey(open, "b").status).toBe("planned");
});

test("only a task that ended without landing and was not superseded can be retried", () => {
  const landed = handedOver(building(), "a", 1, "landed");
  expect(retried(landed, idOf(landed, "a"))).toBe(landed);
  expect(retried(landed, idOf(landed, "b"))).toBe(landed);
  const superseded = handedOver(building(), "a", 1, "conflict");
  expect(retried(superseded, idOf(superseded, "a"))).toBe(superseded);
  expect(retried(landed, "unknown")).toBe(landed);
});

const decide = (ledger: Ledger, decision: "approve" | "refuse", reason?: string) =>
  apply(ledger, (now, facts) =>
    decideHeld(
      now,
      {
        kind: "approve",
        taskId: idOf(ledger, "a"),
        decision,
        by: "ada",
        via: "rest",
        ...(reason === undefined ? {} : { reason }),
      },
      facts,
    ),
  );
const decideOn = (ledger: Ledger, head: string, decision: "approve" | "refuse") =>
  apply(ledger, (now, facts) =>
    decideHeld(
      now,
      { kind: "approve", taskId: idOf(ledger, "a"), decision, by: "ada", via: "rest", head },
      facts,
    ),
  );
const cancel = (ledger: Ledger, by: string, at: number) => apply(ledger, (now) => cancelFeature(now, by, at));
const retried = (ledger: Ledger, taskId: string) => apply(ledger, (now) => retryTask(now, taskId, "ada"));
/** A feature that waits for a person. */
function heldFeature(): Ledger {
  const ledger = handedOver(building([planned("a")]), "a", 1, "held");
  return { ...ledger, status: "held", reason: "a: swarm.json" };
}

test("an approval holds for the next round only", () => {
  const approved = decide(heldFeature(), "approve");
  expect(approved).toMatchObject({ status: "building", reason: null });
  expect(byKey(approved, "a")).toMatchObject({ status: "sent", round: 2, approvedBy: "ada" });
  expect(byKey(handedOver(approved, "a", 1, "rejected"), "a")).toMatchObject({ round: 3, approvedBy: null });
});

test("a refusal counts as a failed attempt with the reason as feedback", () => {
  const refused = decide(heldFeature(), "refuse", "leave it alone");
  expect(byKey(refused, "a")).toMatchObject({ status: "sent", round: 2, attemptsUsed: 1 });
  expect(byKey(refused, "a").task.feedback).toBe("refused by ada: leave it alone");
  const again = decide(handedOver(refused, "a", 2, "held"), "refuse");
  expect(byKey(again, "a").status).toBe("failed");
  expect(decideNext(again).kind).toBe("replan");
});

test.each(["approve", "refuse"] as const)(
  "a late decision to %s, about another commit than the held one, decides nothing and says so",
  (decision) => {
    const held = heldFeature();
    const late = decideOn(held, "9".repeat(40), decision);
    expect(byKey(late, "a")).toMatchObject({ status: "held", round: 1, approvedBy: null, attemptsUsed: 0 });
    expect(byKey(late, "a").reason).toContain(`ada decided on commit ${"9".repeat(12)}, but`);
    expect(late.status).toBe("held");
    expect(byKey(decideOn(late, "9".repeat(40), decision), "a").reason).toBe(byKey(late, "a").reason);
    const head = byKey(late, "a").lastHandoff?.headCommit ?? "";
    expect(byKey(decideOn(late, head, "approve"), "a")).toMatchObject({
      status: "sent",
      approvedBy: "ada",
      approvedHead: head,
    });
  },
);

test("a decision about a task that is not held changes nothing", () => {
  const ledger = building();
  expect(decide(ledger, "approve")).toBe(ledger);
  const decided = decide(heldFeature(), "approve");
  expect(decide(decided, "refuse")).toBe(decided);
});
