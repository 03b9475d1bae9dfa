import { expect, test } from "vitest";
import { building } from "../../testing/make-ledger.ts";
import { noteAction } from "./note-action.ts";
import { giveBudget } from "./person-actions.ts";

const action = {
  action: "budget",
  by: "ada",
  via: "cli",
  taskId: null,
  why: "at most 5 US dollars",
} as const;

test("an action that changed the ledger has an event that says who did it and by which way", () => {
  const before = building();
  const after = noteAction(before, giveBudget(before, { usd: 5 }), action, 7);
  expect(after.pending.slice(before.pending.length)).toEqual([
    {
      kind: "emit",
      event: {
        id: `person-acted-budget-${before.feature.id}-7`,
        type: "person.acted",
        repoId: before.feature.repoId,
        featureId: before.feature.id,
        data: action,
      },
    },
  ]);
  expect(after.feature.budget).toEqual({ usd: 5 });
});

test("an action that changes nothing, as one that comes twice, has none", () => {
  const given = giveBudget(building(), { usd: 5 });
  expect(noteAction(given, giveBudget(given, { usd: 5 }), action, 7)).toBe(given);
  expect(giveBudget(given, { tokens: 9 }).feature.budget).toEqual({ usd: 5, tokens: 9 });
});
