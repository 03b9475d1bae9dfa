import { expect, test } from "vitest";
import { absorb, building, byKey, handoffOf, OUTCOMES } from "../../testing/make-ledger.ts";
import { namesThatLanded } from "./ledger.ts";

test("a task's key names it once it has landed, and not before", () => {
  const ledger = building();
  expect(namesThatLanded(ledger)).toEqual(new Map());
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.landed);
  expect(namesThatLanded(after)).toEqual(new Map([["a", byKey(ledger, "a").task.id]]));
});

test("a task that was settled by its resolve has landed under its own key too, by the resolve's id", () => {
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
