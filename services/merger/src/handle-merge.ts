import { failpoint, type MergeOutcome, type MergeRequest } from "@agentswarm/contracts";
import type { MergerContext } from "./context.ts";
import type { MergeJob, MergeQueue } from "./queue.ts";

/**
 * One merge job: waits for its outcome in the merge queue, sends the handoff to the planner and emits the event. May
 * run twice for one job.
 */
export async function handleMerge(
  ctx: MergerContext,
  queue: MergeQueue,
  request: MergeRequest,
  job: MergeJob,
): Promise<MergeOutcome> {
  const { featureId, taskId, attempt, handoff } = request;
  const outcome = await queue.add(request, job);
  failpoint("merger.resolved");
  const id = `${taskId}-${attempt}${request.approvedBy === undefined ? "" : "-approved"}`;
  await ctx.sender.send("plan", { kind: "handoff", featureId, handoff, outcome }, { jobId: `handoff-${id}` });
  failpoint("merger.handed-off");
  const type = EVENT[outcome.kind];
  await ctx.sender.event({
    // A redelivered job finds the first run's commit, and its `already-landed` is the same event.
    id: `${type}-${id}`,
    type,
    featureId,
    taskId,
    attempt,
    data: { ...outcome, title: request.title, model: handoff.model, costUsd: handoff.metrics.costUsd },
  });
  failpoint("merger.emitted");
  ctx.log.info({ featureId, taskId, attempt, ...detailOf(outcome) }, TRANSITION[outcome.kind]);
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

const TRANSITION = {
  landed: "landed",
  "already-landed": "landed before",
  conflict: "conflicted",
  rejected: "rejected",
  unsafe: "rejected as unsafe",
  held: "held for approval",
} as const;

/** The short part of an outcome, for the log. */
function detailOf(outcome: MergeOutcome) {
  switch (outcome.kind) {
    case "landed":
    case "already-landed":
      return { commit: outcome.commit };
    case "conflict":
      return { paths: outcome.paths.map(({ path }) => path) };
    case "rejected":
      return { check: outcome.check };
    case "unsafe":
    case "held":
      return { why: outcome.why };
  }
}
