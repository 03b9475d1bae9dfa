import { failpoint, type MergeOutcome, type MergeRequest } from "@agentswarm/contracts";
import type { Landings } from "./landings.ts";
import type { JobOf } from "./passengers.ts";
import type { Workshop } from "./workshop.ts";

/** One merge job: lands it or says why not, and hands the attempt on to the planner. May run twice. */
export async function handleMerge(
  shop: Workshop,
  landings: Landings,
  request: MergeRequest,
  job: JobOf,
): Promise<MergeOutcome> {
  const outcome = await landings.land(request, job);
  failpoint("merger.decided");
  const id = `${request.taskId}-${request.attempt}${request.approvedBy === undefined ? "" : "-approved"}`;
  await shop.sender.send(
    "plan",
    { kind: "handoff", featureId: request.featureId, handoff: request.handoff, outcome },
    { jobId: `handoff-${id}` },
  );
  failpoint("merger.handed");
  await tell(shop, request, outcome, id);
  failpoint("merger.told");
  shop.log.info(
    { featureId: request.featureId, taskId: request.taskId, attempt: request.attempt, outcome: outcome.kind },
    "merge request settled",
  );
  return outcome;
}

const EVENT = {
  landed: "landing.landed",
  "already-landed": "landing.landed",
  conflict: "landing.conflicted",
  rejected: "landing.rejected",
  unsafe: "landing.rejected",
  held: "landing.held",
} as const;

async function tell(
  { sender }: Workshop,
  request: MergeRequest,
  outcome: MergeOutcome,
  id: string,
): Promise<void> {
  const { handoff } = request;
  await sender.event({
    // Landed twice in a row is the same event: the second finds the first one's commit.
    id: `${EVENT[outcome.kind]}-${id}`,
    type: EVENT[outcome.kind],
    featureId: request.featureId,
    taskId: request.taskId,
    attempt: request.attempt,
    data: { ...outcome, title: request.title, model: handoff.model, costUsd: handoff.metrics.costUsd },
  });
}
