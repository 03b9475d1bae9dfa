import { parseJobId } from "@agentswarm/contracts";
import { pendingJobIds, type QueueConnection } from "@agentswarm/queue";

/**
 * Ids of tasks that have an unfinished merge request or handoff, read from the ids of those jobs. The merger sends a
 * handoff before its own job ends, so reading `merge` before `plan` misses none.
 */
export async function tasksUnderWay(connection: QueueConnection): Promise<Set<string>> {
  const tasks = new Set<string>();
  for (const queue of ["merge", "plan"] as const) {
    for (const id of await pendingJobIds(connection, queue)) {
      const parsed = parseJobId(id);
      if (parsed?.kind === "merge" || parsed?.kind === "handoff") tasks.add(parsed.taskId);
    }
  }
  return tasks;
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
