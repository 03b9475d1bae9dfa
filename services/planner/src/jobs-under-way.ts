import { parseJobId } from "@agentswarm/contracts";
import { pendingJobIds, type QueueConnection } from "@agentswarm/queue";
import { roundName, type JobsUnderWay } from "./ledger/decide-lost.ts";

/**
 * The tasks whose jobs have not ended, read from the ids of the jobs. A task's job ends after its merge request or handoff
 * was sent, and the merger sends a handoff before its own job ends, so reading `task`, `merge` and `plan` in this order
 * misses none.
 */
export async function jobsUnderWay(connection: QueueConnection): Promise<JobsUnderWay> {
  const rounds = new Set<string>();
  const tasks = new Set<string>();
  for (const queue of ["task", "merge", "plan"] as const) {
    for (const id of await pendingJobIds(connection, queue)) {
      const parsed = parseJobId(id);
      if (parsed?.kind === "task") rounds.add(roundName(parsed));
      if (parsed?.kind === "merge" || parsed?.kind === "handoff") tasks.add(parsed.taskId);
    }
  }
  return { rounds, tasks };
}

/** Ids of the unfinished merge requests of these tasks. */
export async function mergeJobsOf(
  connection: QueueConnection,
  taskIds: ReadonlySet<string>,
): Promise<string[]> {
  const ids = await pendingJobIds(connection, "merge");
  return ids.filter((id) => {
    const parsed = parseJobId(id);
    return parsed?.kind === "merge" && taskIds.has(parsed.taskId);
  });
}

/** Whether a sweep is running or waiting. */
export async function isSweepUnderWay(connection: QueueConnection): Promise<boolean> {
  return (await pendingJobIds(connection, "sweep")).length > 0;
}
