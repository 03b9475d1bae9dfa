import { expect, test } from "vitest";
import { handoffSchema, NO_METRICS, type DomainEvent, type TaskStatus } from "@agentswarm/contracts";
import { projectTask } from "./project-task.ts";
import { taskStatus } from "./task-status.ts";
import type { TaskView } from "./views.ts";

const about = { repoId: "main", featureId: "f", taskId: "t", at: 1, actor: "test" };
const planned: DomainEvent = {
  ...about,
  id: "planned",
  type: "task.planned",
  data: {
    id: "t",
    repoId: "main",
    featureId: "f",
    featureSlug: "f",
    key: "only",
    kind: "build",
    title: "One",
    description: "",
    scope: [],
    acceptance: [],
    checks: [],
    dependsOn: [],
    priority: 5,
    limits: { turns: 1, tokens: 1, costUsd: 1, wallMs: 1, idleMs: 1 },
    attemptBudget: 3,
    feedback: "",
  },
};
const changed = (ledgerVersion: number, status: TaskStatus, round: number): DomainEvent => ({
  ...about,
  id: `changed-${ledgerVersion}`,
  type: "task.changed",
  ledgerVersion,
  data: { status, reason: null, round, attemptsUsed: 0, supersededBy: null },
});
const started = (attempt: number, round: number): DomainEvent => ({
  ...about,
  id: `started-${attempt}`,
  type: "attempt.started",
  attempt,
  data: { provider: "local", sandboxId: "s", baseCommit: "a".repeat(40), round },
});
const ended = (
  attempt: number,
  round: number,
  headCommit: string | null,
  outcome = "complete",
): DomainEvent => ({
  ...about,
  id: `ended-${attempt}`,
  type: "attempt.ended",
  attempt,
  data: handoffSchema.parse({
    taskId: "t",
    attempt,
    round,
    end: "submitted",
    outcome,
    summary: "",
    metrics: NO_METRICS,
    headCommit,
  }),
});
const COMMIT = "b".repeat(40);
const statusAfter = (...events: DomainEvent[]) => {
  let view: TaskView | null = null;
  for (const event of [planned, ...events]) view = projectTask(view, event);
  return view === null ? null : taskStatus(view);
};

test.each<[string, DomainEvent[], TaskStatus]>([
  ["planned", [], "planned"],
  ["ready by the planner's word", [changed(1, "ready", 0)], "ready"],
  ["sent once it is queued", [changed(1, "sent", 1)], "sent"],
  ["running while an attempt runs", [changed(1, "sent", 1), started(1, 1)], "running"],
  ["landing with commits to land", [changed(1, "sent", 1), started(1, 1), ended(1, 1, COMMIT)], "landing"],
  [
    "sent after an attempt without commits",
    [changed(1, "sent", 1), started(1, 1), ended(1, 1, null)],
    "sent",
  ],
  [
    "sent after an attempt that its agent gave up on",
    [changed(1, "sent", 1), started(1, 1), ended(1, 1, COMMIT, "failed")],
    "sent",
  ],
  [
    "landed by the planner's word",
    [changed(1, "sent", 1), started(1, 1), ended(1, 1, COMMIT), changed(2, "landed", 1)],
    "landed",
  ],
  [
    "landing once a person approves its held attempt",
    [
      changed(1, "sent", 1),
      started(1, 1),
      ended(1, 1, COMMIT),
      changed(2, "held", 1),
      changed(3, "sent", 2),
      { ...ended(1, 2, COMMIT), id: "ended-1-approved" },
    ],
    "landing",
  ],
  [
    "running in the next round",
    [changed(1, "sent", 1), started(1, 1), ended(1, 1, null), changed(2, "sent", 2), started(2, 2)],
    "running",
  ],
  [
    "running when a second attempt of the round replaces a lost one",
    [changed(1, "sent", 1), started(1, 1), ended(1, 1, null), started(2, 1)],
    "running",
  ],
])("a task is %s", (_name, events, status) => {
  expect(statusAfter(...events)).toBe(status);
});

test("events that come in any order, and twice, give the same status", () => {
  const events = [changed(1, "sent", 1), started(1, 1), ended(1, 1, COMMIT)];
  for (const [a, b, c] of [
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const) {
    const shuffled = [events[a], events[b], events[c], events[a], events[b]].flatMap((event) => event ?? []);
    expect(statusAfter(...shuffled)).toBe("landing");
  }
});

test("a late start of an earlier round leaves a landed task landed", () => {
  const landed = [changed(1, "sent", 1), changed(3, "sent", 2), started(2, 2), ended(2, 2, COMMIT)];
  expect(statusAfter(...landed, changed(4, "landed", 2), started(1, 1), changed(1, "sent", 1))).toBe(
    "landed",
  );
});

test("a start that overtakes the planner's event shows the task running", () => {
  expect(statusAfter(changed(2, "failed", 1), started(2, 2))).toBe("running");
});
