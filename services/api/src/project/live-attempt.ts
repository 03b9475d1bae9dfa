import { taskStatus } from "./task-status.ts";
import type { AttemptView, TaskView } from "./views.ts";

/**
 * The attempt of a task that is at work by the events of the task, or null. It follows from the whole view, so an end
 * that was lost or that came before its start is put right by the next event of the task.
 */
export function liveAttempt(view: TaskView | null): number | null {
  if (view === null || taskStatus(view) !== "running") return null;
  const latest = view.attempts.findLast(({ startedAt }) => startedAt !== null);
  return latest?.endedAt === null ? latest.attempt : null;
}

/**
 * The attempts of a task as people see them. An attempt that never reported its end, because its dispatcher was killed,
 * ended at the latest when the next one started, or when the planner changed the task.
 */
export function endedAttempts(view: TaskView): AttemptView[] {
  const live = liveAttempt(view);
  return view.attempts.map((attempt, at) => {
    if (attempt.endedAt !== null || attempt.startedAt === null || attempt.attempt === live) return attempt;
    const endedAt = view.attempts[at + 1]?.startedAt ?? view.changedAt ?? attempt.startedAt;
    return { ...attempt, endedAt: Math.max(endedAt, attempt.startedAt) };
  });
}
