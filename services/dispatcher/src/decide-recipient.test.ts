import { expect, test } from "vitest";
import { decideRecipient } from "./decide-recipient.ts";
import type { RanAttempt } from "./ended-attempt.ts";
import { failedResult } from "./failed-result.ts";

const HANDOFF = { ...failedResult("submitted", ""), taskId: "t", attempt: 1, round: 1, model: "m" };
const attempt = (
  outcome: "complete" | "partial" | "blocked" | "failed",
  stored: boolean,
  unsafe: string | null = null,
): RanAttempt => {
  const handoff = { ...HANDOFF, outcome };
  return { kind: "ran", handoff, stored, unsafe, baseCommit: "a".repeat(40), byDefault: [] };
};

test("stored work that its agent calls done goes to the merger", () => {
  for (const outcome of ["complete", "partial"] as const) {
    const ran = attempt(outcome, true);
    expect(decideRecipient(ran)).toEqual({ queue: "merge", attempt: ran });
  }
});

test("an attempt without work to land goes to the planner", () => {
  const toPlanner = { queue: "plan", outcome: null };
  expect(decideRecipient(attempt("failed", true))).toEqual(toPlanner);
  expect(decideRecipient(attempt("blocked", true))).toEqual(toPlanner);
  expect(decideRecipient(attempt("complete", false))).toEqual(toPlanner);
  expect(decideRecipient({ kind: "unopened", handoff: HANDOFF })).toEqual(toPlanner);
});

test("commits that quarantine refused go to the planner as unsafe", () => {
  expect(decideRecipient(attempt("failed", false, "a link out"))).toEqual({
    queue: "plan",
    outcome: { kind: "unsafe", why: "a link out" },
  });
});
