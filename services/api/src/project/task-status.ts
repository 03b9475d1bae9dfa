import type { TaskStatus } from "@agentswarm/contracts";
import type { AttemptView, TaskView } from "./views.ts";

/** Statuses of the planner that say no more than that a job of the round is in a queue or at work. */
const UNDER_WAY: ReadonlySet<TaskStatus> = new Set(["sent", "running", "landing"]);

/**
 * The status of a task as people see it. The planner's status is shown, but for a round under way: its attempts
 * decide between `sent`, `running` and `landing`. The order in which events arrive does not matter.
 */
export function taskStatus({
  status,
  round,
  attempts,
}: Pick<TaskView, "status" | "round" | "attempts">): TaskStatus {
  const latest = attempts.findLast((attempt) => (attempt.round ?? 0) >= Math.max(1, round));
  if (latest === undefined) return status;
  // An attempt of a newer round shows that the planner has sent the task again; its event is still to come.
  const isNewerRound = (latest.round ?? 0) > round;
  if (!isNewerRound && !UNDER_WAY.has(status)) return status;
  if (latest.endedAt === null) return "running";
  return hasCommitsToLand(latest) ? "landing" : "sent";
}

/** As the dispatcher decides it: commits that their own agent gave up on are kept, but do not land. */
function hasCommitsToLand({ handoff }: AttemptView): boolean {
  if (handoff === null || handoff.headCommit === null) return false;
  return handoff.outcome === "complete" || handoff.outcome === "partial";
}
