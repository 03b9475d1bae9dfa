import { expect, test } from "vitest";
import { without } from "./decide-end.ts";
import { decideRecipient } from "./pass-on.ts";

const HANDOFF = { ...without("submitted", ""), taskId: "t", attempt: 1, round: 1, model: "m" };
const decide = (
  outcome: "complete" | "partial" | "blocked" | "failed",
  stored: boolean,
  unsafe: string | null = null,
) => decideRecipient({ handoff: { ...HANDOFF, outcome }, stored, unsafe });

test("work goes to the merger, everything else to the planner", () => {
  expect(decide("complete", true)).toEqual({ queue: "merge" });
  expect(decide("partial", true)).toEqual({ queue: "merge" });
  expect(decide("failed", true)).toEqual({ queue: "plan", outcome: null });
  expect(decide("blocked", true)).toEqual({ queue: "plan", outcome: null });
  expect(decide("complete", false)).toEqual({ queue: "plan", outcome: null });
});

test("what quarantine refused is told as unsafe", () => {
  expect(decide("failed", false, "a link out")).toEqual({
    queue: "plan",
    outcome: { kind: "unsafe", why: "a link out" },
  });
});
