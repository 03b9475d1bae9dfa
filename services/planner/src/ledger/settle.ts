import { hasEnded, isOpen, standIn, type Ledger, type TaskRecord } from "./ledger.ts";

/**
 * Lets what has become possible happen: a planned task whose dependencies have all landed is sent, one whose
 * dependency cannot land any more is blocked. Pure; every transition of the ledger ends with it.
 */
export function settle(ledger: Ledger): Ledger {
  if (hasEnded(ledger) || ledger.status === "held") return ledger;
  let settled = ledger;
  for (let changed = true; changed;) {
    changed = false;
    const tasks = settled.tasks.map((record) => {
      if (record.status !== "planned" && record.status !== "ready") return record;
      const next = settleTask(settled, record);
      changed ||= next !== record;
      return next;
    });
    settled = { ...settled, tasks };
  }
  return settled;
}

function settleTask(ledger: Ledger, record: TaskRecord): TaskRecord {
  const dependencies = record.task.dependsOn.map((id) => standIn(ledger, id));
  const dead = dependencies.find(
    (one) => one === null || ["failed", "blocked", "cancelled"].includes(one.status),
  );
  if (dead !== undefined) {
    return {
      ...record,
      status: "blocked",
      reason: `it depends on ${dead?.task.key ?? "a task that is not there"}, which cannot land`,
    };
  }
  const waits = record.after.some((id) => {
    const earlier = standIn(ledger, id);
    return earlier !== null && isOpen(earlier);
  });
  if (!waits && dependencies.every((one) => one?.status === "landed")) return sendAgain(record);
  return record;
}

/** The record in its next round. An approval holds for one sending only. */
export function sendAgain(record: TaskRecord): TaskRecord {
  return { ...record, status: "sent", round: record.round + 1, missed: false, approvedBy: null };
}
