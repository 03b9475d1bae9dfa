import { jobId as jobIds, type Sweep, type SweepRequest } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import type { JobContext } from "@agentswarm/queue";
import type { ReconcilerContext } from "./context.ts";
import { sweep } from "./sweep.ts";

/** One job of the `sweep` queue: sweeps, sends the result to the planner and emits the events. May run twice for one job. */
export async function handleSweep(
  ctx: ReconcilerContext,
  request: SweepRequest,
  job: Pick<JobContext, "jobId" | "sentAt" | "signal">,
): Promise<Sweep> {
  const { sender } = ctx;
  const { jobId, signal } = job;
  // A sweep by the timer reuses the record of a red tree; every other request has the tree checked again.
  const askedAt = request.why === "schedule" ? 0 : job.sentAt;
  const result = await sweep(ctx.repo(request.repoId), { why: request.why, askedAt }, signal);
  failpoint("reconciler.swept");
  await sender.send("plan", { kind: "swept", sweep: result }, { jobId: jobIds.swept(jobId) });
  failpoint("reconciler.sent");
  const { repoId } = result;
  await sender.event({ id: `sweep-${jobId}`, type: "sweep.finished", repoId, data: { ...result } });
  if (result.outcome === "green" && result.green !== null) {
    await sender.event({
      id: `green-${result.green}`,
      type: "trunk.green",
      repoId,
      data: { commit: result.green },
    });
  }
  const { head, green, outcome, reason } = result;
  const failures = result.failures.map((failure) => `${failure.check} (${failure.signature})`);
  ctx.log.info({ head, green, outcome, reason, why: request.why, failures }, "sweep finished");
  return result;
}
