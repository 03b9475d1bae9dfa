import { expect, test } from "vitest";
import { DEFAULT_LIMITS, handoffSchema, NO_METRICS, taskSchema } from "@agentswarm/contracts";
import { attemptsToShow } from "./attempts-to-show.ts";
import { taskViewSchema, type TaskView } from "./views.ts";

const commit = (digit: string) => digit.repeat(40);
/** An attempt with or without commits, and how its landing ended. */
const attempt = (nth: number, headCommit: string | null, outcome?: string) => ({
  attempt: nth,
  round: nth,
  startedAt: 1,
  endedAt: 2,
  sandboxId: null,
  baseCommit: null,
  outcome: outcome === undefined ? null : { kind: outcome },
  handoff: handoffSchema.parse({
    taskId: "t",
    attempt: nth,
    round: nth,
    end: "submitted",
    summary: "",
    headCommit,
    metrics: NO_METRICS,
  }),
});
const PLANNED = taskSchema.omit({ id: true }).parse({
  featureId: "f",
  featureSlug: "f",
  key: "pad",
  kind: "build",
  title: "Pad",
  description: "",
  priority: 5,
  limits: DEFAULT_LIMITS,
});
const task = (
  id: string,
  status: TaskView["status"],
  attempts: ReturnType<typeof attempt>[],
  more: Partial<TaskView> = {},
): TaskView =>
  taskViewSchema.parse({
    ...PLANNED,
    id,
    status,
    reason: null,
    round: 1,
    attemptsUsed: 0,
    supersededBy: null,
    commit: null,
    ledgerVersion: 1,
    attempts,
    ...more,
  });

test("landed attempts come first, in the order of their landings, each by the attempt that landed", () => {
  const late = task("late", "landed", [attempt(1, commit("1"), "landed"), attempt(2, commit("2"))], {
    commit: commit("a"),
    changedAt: 20,
  });
  const early = task(
    "early",
    "landed",
    [attempt(1, commit("3"), "held"), attempt(2, commit("4"), "landed")],
    {
      commit: commit("b"),
      changedAt: 10,
    },
  );
  const held = task("held", "held", [attempt(1, commit("5"), "held"), attempt(2, null)]);
  expect(attemptsToShow([held, late, early])).toEqual([
    { taskId: "early", attempt: 2, commit: commit("b") },
    { taskId: "late", attempt: 1, commit: commit("a") },
    { taskId: "held", attempt: 1, commit: null },
  ]);
});

test("tasks without commits, and those of which nothing will land, are not shown", () => {
  const superseded = task("old", "cancelled", [attempt(1, commit("1"), "conflict")], { supersededBy: "new" });
  const failed = task("failed", "failed", [attempt(1, commit("2"), "rejected")]);
  expect(attemptsToShow([superseded, failed, task("planned", "planned", [])])).toEqual([]);
});
