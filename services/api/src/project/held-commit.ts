import type { TaskView } from "./views.ts";

/**
 * The commit that waits for approval: the newest attempt's, when the planner of version 0.1 has not named it. Null for a
 * task that waits for the answer to a question.
 */
export function heldCommitOf({
  status,
  heldCommit,
  attempts,
}: Pick<TaskView, "status" | "heldCommit" | "attempts">): string | null {
  if (status !== "held") return null;
  const handoff = attempts.at(-1)?.handoff ?? null;
  if (handoff === null || handoff.end === "parked" || handoff.outcome === "blocked")
    return heldCommit ?? null;
  return heldCommit ?? handoff.headCommit;
}
