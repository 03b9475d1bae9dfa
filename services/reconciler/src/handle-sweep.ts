import { failpoint, type Sweep, type SweepRequest } from "@agentswarm/contracts";
import type { Sender } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import { sweep } from "./sweep.ts";
import type { Workshop } from "./workshop.ts";

interface SweepJob {
  readonly shop: Workshop;
  readonly sender: Sender;
  readonly log: Logger;
  readonly request: SweepRequest;
  readonly jobId: string;
  readonly signal: AbortSignal;
}

/** One job of the `sweep` queue: sweeps, tells the planner, and tells people. May run twice for one job. */
export async function handleSweep({ shop, sender, log, request, jobId, signal }: SweepJob): Promise<Sweep> {
  const result = await sweep(shop, request, signal);
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
  log.info({ head: result.head, outcome: result.outcome, why: request.why, failures }, "swept the trunk");
  return result;
}
