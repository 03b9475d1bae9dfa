import { failpoint, type Sweep, type SweepRequest } from "@agentswarm/contracts";
import type { Sender } from "@agentswarm/queue";
import { sweep } from "./sweep.ts";
import type { Workshop } from "./workshop.ts";

interface SweepJob {
  readonly shop: Workshop;
  readonly sender: Sender;
  readonly request: SweepRequest;
  readonly jobId: string;
  /** Redis time. */
  readonly sentAt: number;
  readonly signal: AbortSignal;
}

/** One job of the `sweep` queue: sweeps, tells the planner, and tells people. May run twice for one job. */
export async function handleSweep(job: SweepJob): Promise<Sweep> {
  const { shop, sender, request, jobId, signal } = job;
  // The timer asks nothing new; whoever else asks waits for an answer.
  const askedAt = request.why === "schedule" ? 0 : job.sentAt;
  const result = await sweep(shop, { ...request, askedAt }, signal);
  failpoint("reconciler.swept");
  await sender.send(
    "plan",
    { kind: "swept", sweep: result },
    { jobId: `swept-${jobId.replaceAll(":", "-")}` },
  );
  failpoint("reconciler.sent");
  await sender.event({ id: `sweep-${jobId}`, type: "sweep.finished", data: { ...result } });
  if (result.outcome === "green" && result.green !== null) {
    await sender.event({ id: `green-${result.green}`, type: "trunk.green", data: { commit: result.green } });
  }
  const failures = result.failures.map((failure) => `${failure.check} (${failure.signature})`);
  const { head, outcome, reason } = result;
  shop.log.info({ head, outcome, reason, why: request.why, failures }, "swept the trunk");
  return result;
}
