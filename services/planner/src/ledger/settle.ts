import { isOpen, standIn, type Ledger, type TaskRecord } from "./ledger.ts";

/** Tasks that wait for others. A blocked one waits too: what it depends on may be retried, or land late. */
const WAITING = new Set(["planned", "ready", "blocked"]);

/**
 * Lets what has become possible happen: a waiting task whose dependencies have all landed is sent, one whose
 * dependency cannot land any more is blocked. While a feature is planned anew, or a budget is used up, nothing of it is
 * sent. Pure; every transition of the ledger ends with it.
 */
export function settle(ledger: Ledger): Ledger {
  let settled = letGo(ledger);
  if (settled.status !== "building" && settled.status !== "held") return ledger;
  for (let changed = true; changed;) {
    changed = false;
    const tasks = settled.tasks.map((record) => {
      if (!WAITING.has(record.status)) return record;
      const next = settleTask(settled, record);
      changed ||= next !== record;
      return next;
    });
    settled = { ...settled, tasks };
  }
  return settled;
}

/** A feature is held only as long as one of its tasks is. */
function letGo(ledger: Ledger): Ledger {
  if (ledger.status !== "held" || ledger.tasks.some((record) => record.status === "held")) return ledger;
  return { ...ledger, status: "building", reason: null };
}

function settleTask(ledger: Ledger, record: TaskRecord): TaskRecord {
  const dependencies = record.task.dependsOn.map((id) => standIn(ledger, id));
  const dead = dependencies.find(
    (one) => one === null || ["failed", "blocked", "cancelled"].includes(one.status),
  );
  if (dead !== undefined) {
    const reason = `it depends on ${dead?.task.key ?? "a task that is not there"}, which cannot land`;
    const known = record.status === "blocked" && record.reason === reason;
    return known ? record : { ...record, status: "blocked", reason };
  }
  const waits = record.after.some((id) => {
    const earlier = standIn(ledger, id);
    return earlier !== null && isOpen(earlier);
  });
  const possible = !waits && dependencies.every((one) => one?.status === "landed");
  if (possible && ledger.waiting === null) return { ...sendAgain(record), reason: null };
  return record.status === "blocked" ? { ...record, status: "planned", reason: null } : record;
}

/** The record in its next round. An approval holds for one sending only. */
export function sendAgain(record: TaskRecord): TaskRecord {
  return { ...record, status: "sent", round: record.round + 1, missed: false, approvedBy: null };
}
