import { jobId, type EventToSend, type MergeOutcome, type MergeRequest } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import type { MergerContext } from "./context.ts";
import type { MergeJob } from "./queue.ts";

/**
 * One merge job: waits for its outcome in the merge queue, sends the handoff to the planner and emits the event. May
 * run twice for one job.
 */
export async function handleMerge(
  ctx: MergerContext,
  request: MergeRequest,
  job: MergeJob,
): Promise<MergeOutcome> {
  const { featureId, taskId, attempt, handoff } = request;
  const outcome = await ctx.repo(request.repoId).queue.add(request, job);
  failpoint("merger.resolved");
  const handoffId = jobId.handoff(taskId, attempt, request.approvedBy !== undefined);
  await ctx.sender.send("plan", { kind: "handoff", featureId, handoff, outcome }, { jobId: handoffId });
  failpoint("merger.handed-off");
  await ctx.sender.event(eventOf(request, outcome));
  failpoint("merger.emitted");
  ctx.log.info({ featureId, taskId, attempt, ...detailOf(outcome) }, TRANSITION[outcome.kind]);
  return outcome;
}

/** A redelivered job finds the first run's commit, and its `already-landed` is the same event by its id. */
function eventOf(request: MergeRequest, outcome: MergeOutcome): EventToSend {
  const { repoId, featureId, taskId, attempt, title, handoff } = request;
  const id = `${taskId}-${attempt}${request.approvedBy === undefined ? "" : "-approved"}`;
  const about = { repoId, featureId, taskId, attempt };
  const more = { title, model: handoff.model, costUsd: handoff.metrics.costUsd };
  switch (outcome.kind) {
    case "landed":
    case "already-landed":
      return { id: `landing.landed-${id}`, type: "landing.landed", ...about, data: { ...outcome, ...more } };
    case "conflict":
      return {
        id: `landing.conflicted-${id}`,
        type: "landing.conflicted",
        ...about,
        data: { ...outcome, ...more },
      };
    case "rejected":
    case "unsafe":
      return {
        id: `landing.rejected-${id}`,
        type: "landing.rejected",
        ...about,
        data: { ...outcome, ...more },
      };
    case "held":
      return { id: `landing.held-${id}`, type: "landing.held", ...about, data: { ...outcome, ...more } };
  }
}

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
