import { failpoint, jobId, type TaskMessage } from "@agentswarm/contracts";
import { cancelJob } from "@agentswarm/queue";
import { eventsBetween } from "./ledger/events-between.ts";
import { findRecord, isUnderWay, type Ledger, type TaskRecord } from "./ledger/ledger.ts";
import type { Change } from "./ledger/ledger-store.ts";
import type { Workshop } from "./workshop.ts";

/**
 * Does what a written step of the ledger calls for: sends what is newly sent, cancels what is newly cancelled, asks
 * for a sweep where a fix has landed, and tells people. All of it has derived ids, and what a crash swallows the
 * audit finds.
 */
export async function carryOut(shop: Workshop, { before, after, version, changed }: Change): Promise<void> {
  if (!changed) return;
  failpoint("planner.stored");
  for (const record of after.tasks) {
    const old = before === null ? undefined : findRecord(before, record.task.id);
    if (record.status === "sent" && record.round > (old?.round ?? 0)) await sendTask(shop, record);
    if (
      record.status === "cancelled" &&
      old !== undefined &&
      isUnderWay(old) &&
      record.supersededBy === null
    ) {
      await cancelJob(shop.connection, "task", jobId.task(record.task.id, record.round));
    }
    if (record.status === "landed" && old?.status !== "landed" && record.signature !== null) {
      await shop.sender.send("sweep", { why: "nudge" }, { jobId: `fix-landed-${record.task.id}` });
    }
  }
  failpoint("planner.sent");
  for (const event of eventsBetween(before, after, version)) await shop.sender.event(event);
}

/** Sends a task's current round; sending it twice makes one job. */
export async function sendTask(
  { sender }: Workshop,
  { task, round, approvedBy, lastHandoff, lastOutcome }: TaskRecord,
): Promise<void> {
  const message: TaskMessage = { task, round };
  if (approvedBy !== null && lastHandoff !== null && lastOutcome?.kind === "held") {
    const { attempt } = lastHandoff;
    message.approved = {
      by: approvedBy,
      attempt,
      baseCommit: lastOutcome.base,
      handoff: { ...lastHandoff, round },
    };
  }
  await sender.send("task", message, { jobId: jobId.task(task.id, round), priority: task.priority });
}

/** Carries out a step and everything that follows from it. */
export async function step(
  shop: Workshop,
  featureId: string,
  change: (ledger: Ledger | null) => Ledger | null,
): Promise<Change | null> {
  const made = await shop.ledgers.update(featureId, change);
  if (made !== null) await carryOut(shop, made);
  return made;
}
