import type { PlanMessage } from "@agentswarm/contracts";
import { findRecord, hasEnded, isOpen, withRecord, type Ledger } from "./ledger/ledger.ts";
import { sendAgain, settle } from "./ledger/settle.ts";

/** What a person may do to a feature or task, as pure steps of the ledger. */

/** Ends a feature; what is open of it is cancelled. */
export function cancelFeature(ledger: Ledger, by: string, finishedAt: number): Ledger {
  if (hasEnded(ledger)) return ledger;
  const reason = `cancelled by ${by}`;
  const tasks = ledger.tasks.map((record) =>
    isOpen(record) || record.status === "held" ? { ...record, status: "cancelled" as const, reason } : record,
  );
  return { ...ledger, tasks, status: "cancelled", reason, finishedAt };
}

/** Opens a task again that had ended without landing, with a fresh budget, and its feature and dependents with it. */
export function retryTask(ledger: Ledger, taskId: string, by: string): Ledger {
  const record = findRecord(ledger, taskId);
  if (record === undefined || !["failed", "blocked", "cancelled"].includes(record.status)) return ledger;
  if (record.supersededBy !== null) return ledger;
  const opened = withRecord(
    { ...ledger, status: "building", reason: `retried by ${by}`, finishedAt: null },
    taskId,
    { status: "planned", attemptsUsed: 0, crashes: 0, reason: null },
  );
  const tasks = opened.tasks.map((one) =>
    one.status === "blocked" && one.task.dependsOn.includes(taskId)
      ? { ...one, status: "planned" as const, reason: null }
      : one,
  );
  return settle({ ...opened, tasks });
}

type Approval = Extract<PlanMessage, { kind: "approve" }>;

/** Lets a held attempt land, or refuses it like a failed one. */
export function decideHeld(ledger: Ledger, { taskId, decision, by, reason }: Approval): Ledger {
  const record = findRecord(ledger, taskId);
  if (record === undefined || record.status !== "held") return ledger;
  const opened: Ledger = ledger.status === "held" ? { ...ledger, status: "building", reason: null } : ledger;
  if (decision === "approve") {
    return withRecord(opened, taskId, { ...sendAgain(record), approvedBy: by, reason: null });
  }
  const why = `refused by ${by}${reason === undefined ? "" : `: ${reason}`}`;
  const attemptsUsed = record.attemptsUsed + 1;
  const task = { ...record.task, feedback: why };
  const next = { ...record, task, attemptsUsed, reason: why };
  const spent = attemptsUsed >= task.attemptBudget;
  return settle(withRecord(opened, taskId, spent ? { ...next, status: "failed" } : sendAgain(next)));
}
