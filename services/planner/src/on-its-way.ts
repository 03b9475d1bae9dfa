import { isScheduledJob, parseJobId, type QueueName } from "@agentswarm/contracts";
import type { QueueConnection } from "@agentswarm/queue";

const GOING: ("waiting" | "prioritized" | "delayed" | "active")[] = [
  "active",
  "waiting",
  "prioritized",
  "delayed",
];

/**
 * Tasks of which an attempt is with the merger or a handoff on its way to us, by the ids of those jobs. The merger
 * sends a handoff before its own job ends, so looking at `merge` first and `plan` second misses none.
 */
export async function tasksOnTheirWay(connection: QueueConnection): Promise<Set<string>> {
  const tasks = new Set<string>();
  for (const queue of ["merge", "plan"] as const) {
    for (const id of await goingJobs(connection, queue)) {
      const parsed = parseJobId(id);
      if (parsed?.kind === "merge" || parsed?.kind === "handoff") tasks.add(parsed.taskId);
    }
  }
  return tasks;
}

/** Whether a sweep is going to be made, apart from the one on the timer. */
export async function isSweepOnItsWay(connection: QueueConnection): Promise<boolean> {
  const ids = await goingJobs(connection, "sweep");
  const active = await connection.queue("sweep").getActiveCount();
  return active > 0 || ids.some((id) => !isScheduledJob(id));
}

async function goingJobs(connection: QueueConnection, queue: QueueName): Promise<string[]> {
  const jobs = await connection.queue(queue).getJobs(GOING);
  return jobs.flatMap((job) => (job?.id === undefined ? [] : [job.id]));
}
