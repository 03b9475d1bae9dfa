import { expect, test } from "vitest";
import type { DomainEvent } from "@agentswarm/contracts";
import { makeEvents } from "../../testing/make-events.ts";
import { endedAttempts } from "./live-attempt.ts";
import { projectTask } from "./project-task.ts";
import type { TaskView } from "./views.ts";

const planned = makeEvents("feature-a", 1).filter(({ id }) => /^(planned|sent)-/.test(id));
const viewAfter = (...events: readonly DomainEvent[]): TaskView => {
  const view = [...planned, ...events].reduce<TaskView | null>(projectTask, null);
  if (view === null) throw new Error("the events make no task");
  return view;
};
const started = (attempt: number, at: number): DomainEvent => ({
  id: `started-${attempt}`,
  at,
  actor: "test",
  repoId: "main",
  featureId: "feature-a",
  taskId: "feature-a-t0",
  attempt,
  type: "attempt.started",
  data: {
    provider: "p",
    sandboxId: "s",
    baseCommit: "a".repeat(40),
    round: 1,
  },
});
const ends = (view: TaskView) => endedAttempts(view).map(({ endedAt }) => endedAt);

test("an attempt without an end has ended when the next one starts", () => {
  const second = started(2, Date.parse("2026-11-21T13:00:00Z"));
  expect(ends(viewAfter(started(1, 10)))).toEqual([null]);
  expect(ends(viewAfter(started(1, 10), second))).toEqual([second.at, null]);
});

test("an attempt without an end has ended when the planner says that the task has", () => {
  const [done] = makeEvents("feature-a", 1).filter(({ id }) => id.startsWith("done-"));
  if (done === undefined) throw new Error("no event");
  expect(ends(viewAfter(started(1, 10), done))).toEqual([done.at]);
});
