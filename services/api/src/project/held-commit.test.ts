import { expect, test } from "vitest";
import { handoffSchema, NO_METRICS, type Handoff } from "@agentswarm/contracts";
import { heldCommitOf } from "./held-commit.ts";
import { taskViewSchema } from "./views.ts";

const COMMIT = "a".repeat(40);
const ATTEMPT = {
  attempt: 1,
  round: 1,
  startedAt: 1,
  endedAt: 2,
  sandboxId: null,
  baseCommit: null,
  outcome: null,
};
const held = (heldCommit: string | null, change: Partial<Handoff> = {}) => {
  const handoff = handoffSchema.parse({
    taskId: "t",
    attempt: 1,
    round: 1,
    summary: "",
    end: "submitted",
    metrics: NO_METRICS,
    headCommit: COMMIT,
    ...change,
  });
  const attempts = taskViewSchema.shape.attempts.parse([{ ...ATTEMPT, handoff }]);
  return heldCommitOf({ status: "held", heldCommit, attempts });
};

test("a held attempt has the commit that the planner names, or else its own", () => {
  expect(held("b".repeat(40))).toBe("b".repeat(40));
  expect(held(null)).toBe(COMMIT);
});

test("a task that waits for an answer has no commit to approve", () => {
  expect(held(null, { end: "parked", outcome: "blocked" })).toBeNull();
  expect(held(null, { outcome: "blocked" })).toBeNull();
});
