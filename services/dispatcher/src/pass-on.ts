import { attemptRef, Fault, jobId, type Handoff, type MergeOutcome, type Task } from "@agentswarm/contracts";
import type { Attempted } from "./attempt.ts";
import type { Workshop } from "./workshop.ts";

export type Recipient = { queue: "merge" } | { queue: "plan"; outcome: MergeOutcome | null };

/** Who gets an attempt: the merger if there is work to land, else the planner. */
export function decideRecipient(attempted: Pick<Attempted, "handoff" | "stored" | "unsafe">): Recipient {
  const { handoff, stored, unsafe } = attempted;
  if (unsafe !== null) return { queue: "plan", outcome: { kind: "unsafe", why: unsafe } };
  // Work that its own agent gave up on is kept in the store, not landed.
  const landable = handoff.outcome === "complete" || handoff.outcome === "partial";
  return stored && landable ? { queue: "merge" } : { queue: "plan", outcome: null };
}

/** Sends the one message in which every attempt ends. A second sending is the same job. */
export async function passOn(shop: Workshop, task: Task, attempted: Attempted): Promise<void> {
  const { handoff } = attempted;
  const recipient = decideRecipient(attempted);
  if (recipient.queue === "merge") return sendToMerger(shop, task, handoff, attempted.baseCommit);
  const body = { kind: "handoff", featureId: task.featureId, handoff, outcome: recipient.outcome } as const;
  await shop.sender.send("plan", body, { jobId: jobId.handoff(task.id, handoff.attempt) });
}

export async function sendToMerger(
  shop: Workshop,
  task: Task,
  handoff: Handoff,
  baseCommit: string,
  approvedBy?: string,
): Promise<void> {
  const { attempt, headCommit } = handoff;
  if (headCommit === null) throw new Fault("internal", `attempt ${attempt} of ${task.id} has no commit`);
  const request = {
    taskId: task.id,
    featureId: task.featureId,
    repoId: task.repoId,
    attempt,
    ref: attemptRef(task.id, attempt),
    baseCommit,
    headCommit,
    title: task.title,
    handoff,
    ...(approvedBy === undefined ? {} : { approvedBy }),
  };
  await shop.sender.send("merge", request, {
    jobId: jobId.merge(task.id, attempt, approvedBy !== undefined),
  });
}
