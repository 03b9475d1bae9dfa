import { isScheduledJob, parseJobId, type QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";

const UNFINISHED: ("waiting" | "prioritized" | "delayed" | "active")[] = [
  "active",
  "waiting",
  "prioritized",
  "delayed",
];

/**
 * Ids of tasks that have an unfinished merge request or handoff, read from the ids of those jobs. The merger sends a
 * handoff before its own job ends, so reading `merge` before `plan` misses none.
 */
export async function tasksUnderWay(connection: QueueConnection): Promise<Set<string>> {
  const tasks = new Set<string>();
  for (const queue of ["merge", "plan"] as const) {
    for (const id of await unfinishedJobs(connection, queue)) {
      const parsed = parseJobId(id);
      if (parsed?.kind === "merge" || parsed?.kind === "handoff") tasks.add(parsed.taskId);
    }
  }
  return tasks;
}

/** Whether a sweep is running or waiting, apart from the next one of the schedule. */
export async function isSweepUnderWay(connection: QueueConnection): Promise<boolean> {
  const ids = await unfinishedJobs(connection, "sweep");
  const active = await connection.queue("sweep").getActiveCount();
  return active > 0 || ids.some((id) => !isScheduledJob(id));
}

async function unfinishedJobs(connection: QueueConnection, queue: QueueName): Promise<string[]> {
  const jobs = await connection.queue(queue).getJobs(UNFINISHED);
  return jobs.flatMap((job) => (job?.id === undefined ? [] : [job.id]));
}
