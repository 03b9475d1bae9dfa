import { jobId, parseJobId } from "@agentswarm/contracts";
import {
  findFailedJob,
  jobBody,
  listFailedJobs,
  type JobState,
  type QueueConnection,
} from "@agentswarm/queue";
import type { Round } from "./ledger/decide-lost.ts";

/** Number of failed jobs of a queue among which a round's own is looked for, the newest. */
const LOOKED_AT = 200;

/**
 * Why a round that no queue works on has no handoff, for the task's reason: the words of the dead letter that it became,
 * as the task's own job, as its merge request or as its handoff.
 */
export async function whyLost(connection: QueueConnection, round: Round, state: JobState): Promise<string> {
  const job = `round ${round.round}`;
  const own = await findFailedJob(connection, "task", jobId.task(round.taskId, round.round));
  if (own !== null) return `${job} is a dead letter (\`swarm jobs\`): ${own.failedReason}`;
  for (const queue of ["merge", "plan"] as const) {
    const result = await findFailedResult(connection, queue, round);
    if (result !== null)
      return `the result of ${job} is a dead letter (\`swarm jobs retry ${queue} ${result.id}\`): ${result.failedReason}`;
  }
  return `${job} ended (${state}) without a handoff`;
}

/** The failed job that carries what a round brought; null when there is none. */
async function findFailedResult(
  connection: QueueConnection,
  queue: "merge" | "plan",
  { taskId, round }: Round,
) {
  for (const job of await listFailedJobs(connection, queue, { limit: LOOKED_AT })) {
    const parsed = parseJobId(job.id);
    if ((parsed?.kind !== "merge" && parsed?.kind !== "handoff") || parsed.taskId !== taskId) continue;
    const body = await jobBody(connection, queue, job.id);
    if (body !== null && "handoff" in body && body.handoff.round === round) return job;
  }
  return null;
}
