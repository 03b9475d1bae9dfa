import { expect, test } from "vitest";
import { absorb, apply, building, byKey, handoffOf, OUTCOMES, statuses } from "../../testing/make-ledger.ts";
import { effectId } from "./effects-between.ts";
import { ledgerSchema } from "./ledger.ts";
import { namesThatLanded } from "./find-tasks.ts";

test("a task's key names it only once it has landed", () => {
  const ledger = building();
  expect(namesThatLanded(ledger)).toEqual(new Map());
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.landed);
  expect(namesThatLanded(after)).toEqual(new Map([["a", byKey(ledger, "a").task.id]]));
});

test("the key of a task whose resolve landed names the resolve too", () => {
  const ledger = building();
  const conflicted = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.conflict);
  expect(namesThatLanded(conflicted)).toEqual(new Map());
  const resolve = byKey(conflicted, "a-resolve");
  const after = absorb(conflicted, handoffOf(resolve, 1), OUTCOMES.landed);
  const { id } = resolve.task;
  expect(namesThatLanded(after)).toEqual(
    new Map([
      ["a", id],
      ["a-resolve", id],
    ]),
  );
});

/** A document as the planner wrote it before `outOfBudget`, `emit`, `trace` and `chargedCalls` existed. */
const OLD_DOCUMENT = `{
  "feature": { "id": "feature-1", "title": "One", "description": "", "acceptance": [], "priority": 5,
    "source": "rest", "createdAt": 1 },
  "slug": "one", "status": "building", "reason": null, "planningRound": 1, "planningWhy": "",
  "revisions": [{ "number": 1, "round": 1, "taskIds": ["t-1"] }],
  "tasks": [{
    "task": { "id": "t-1", "featureId": "feature-1", "featureSlug": "one", "key": "a", "kind": "build",
      "title": "a", "description": "", "context": "", "scope": [], "acceptance": [], "checks": [],
      "dependsOn": [], "priority": 5, "complexity": "standard",
      "limits": { "turns": 60, "tokens": 2000000, "costUsd": 5, "wallMs": 1000, "idleMs": 300000 },
      "attemptBudget": 2, "feedback": "" },
    "after": [], "status": "planned", "round": 0, "attemptsUsed": 0, "crashes": 0, "costUsd": 0, "tokens": 0,
    "reason": null, "supersededBy": null, "signature": null, "commit": null, "lastHandoff": null,
    "lastOutcome": null, "approvedBy": null, "missed": false, "absorbed": []
  }],
  "redSweeps": [], "costUsd": 0.5, "tokens": 10,
  "waiting": { "level": "swarm", "why": "BUDGET_USD=5 is used up (5.02)" },
  "forecast": null, "finishedAt": null,
  "pending": [
    { "kind": "cancel", "taskId": "t-1", "round": 1 },
    { "kind": "tell", "event": { "id": "task-sent-t-1-1", "type": "task.sent", "featureId": "feature-1",
      "ledgerVersion": 3, "taskId": "t-1", "data": { "round": 1 } } }
  ]
}`;

test("a document with the old field names is read", () => {
  const ledger = ledgerSchema.parse(JSON.parse(OLD_DOCUMENT));
  expect(ledger).not.toHaveProperty("waiting");
  expect(ledger).toMatchObject({
    outOfBudget: { level: "swarm", why: "BUDGET_USD=5 is used up (5.02)" },
    trace: null,
    chargedCalls: [],
    costUsd: 0.5,
  });
  expect(ledger.pending.map(effectId)).toEqual(["cancel/t-1/1", "emit/task-sent-t-1-1"]);
  expect(ledgerSchema.parse(JSON.parse(JSON.stringify(ledger)))).toEqual(ledger);
});

test("a task of an old document that only waited for budget is ready after the next step, and then sent", () => {
  const old = ledgerSchema.parse(JSON.parse(OLD_DOCUMENT));
  const ready = apply(old, (now) => now);
  expect(statuses(ready)).toEqual(["a ready"]);
  expect(statuses(apply(ready, (now) => now, null))).toEqual(["a sent"]);
});
