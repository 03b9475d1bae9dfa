import type { TaskView } from "./views.ts";

/** An attempt whose changes are a part of what its feature changes. */
export interface ShownAttempt {
  readonly taskId: string;
  readonly attempt: number;
  /** Its commit on the trunk; null: it has not landed. */
  readonly commit: string | null;
}

const LANDED: ReadonlySet<unknown> = new Set(["landed", "already-landed"]);
/** Nothing of these tasks will land. */
const GIVEN_UP: ReadonlySet<unknown> = new Set<TaskView["status"]>(["cancelled", "failed"]);

/**
 * The attempts that make up a feature's changes: of each task the one that landed, in the order of the landings, and then
 * the newest ones with commits of the tasks that may still land.
 */
export function attemptsToShow(tasks: readonly TaskView[]): ShownAttempt[] {
  const landed = tasks
    .filter(({ status }) => status === "landed")
    .toSorted((a, b) => (a.changedAt ?? 0) - (b.changedAt ?? 0));
  const others = tasks.filter(({ status }) => status !== "landed" && !GIVEN_UP.has(status));
  return [...landed, ...others].flatMap((task) => {
    const { id: taskId, commit, attempts } = task;
    const attempt =
      attempts.find(({ outcome }) => LANDED.has(outcome?.kind)) ??
      attempts.findLast(({ handoff }) => (handoff?.headCommit ?? null) !== null);
    return attempt === undefined ? [] : [{ taskId, attempt: attempt.attempt, commit }];
  });
}
