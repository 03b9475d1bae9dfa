import { sendAgain } from "./decide-retry.ts";
import { isOpen, standIn, type Ledger, type TaskRecord } from "./ledger.ts";

/** Tasks that are not sent yet. A blocked task is one of them: what it depends on may be retried, or land late. */
const UNSENT: ReadonlySet<TaskRecord["status"]> = new Set(["planned", "ready", "blocked"]);
const CANNOT_LAND: ReadonlySet<TaskRecord["status"]> = new Set(["failed", "blocked", "cancelled"]);

/**
 * The transition rule of tasks: a task whose dependencies have all landed is sent, or is ready while a budget is used
 * up; a task whose dependency cannot land any more is blocked. Nothing is sent while a feature is being planned or has
 * ended. Pure; applyStep applies it with every step. Returns the same ledger when nothing changes.
 */
export function settle(ledger: Ledger): Ledger {
  let settled = releaseHold(ledger);
  if (settled.status !== "building" && settled.status !== "held") return ledger;
  for (;;) {
    const tasks = settled.tasks.map((record) =>
      UNSENT.has(record.status) ? settleTask(settled, record) : record,
    );
    if (tasks.every((record, nth) => record === settled.tasks[nth])) return settled;
    settled = { ...settled, tasks };
  }
}

/** A feature is held only while one of its tasks is. */
function releaseHold(ledger: Ledger): Ledger {
  if (ledger.status !== "held" || ledger.tasks.some((record) => record.status === "held")) return ledger;
  return { ...ledger, status: "building", reason: null };
}

function settleTask(ledger: Ledger, record: TaskRecord): TaskRecord {
  const dependencies = record.task.dependsOn.map((id) => standIn(ledger, id));
  const dead = dependencies.find((one) => one === null || CANNOT_LAND.has(one.status));
  if (dead !== undefined) {
    const reason = `it depends on ${dead?.task.key ?? "a task that does not exist"}, which cannot land`;
    return withStatus(record, "blocked", reason);
  }
  const queuesBehind = record.after.some((id) => {
    const earlier = standIn(ledger, id);
    return earlier !== null && isOpen(earlier);
  });
  const reason = record.status === "blocked" ? null : record.reason;
  if (queuesBehind || !dependencies.every((one) => one?.status === "landed"))
    return withStatus(record, "planned", reason);
  if (ledger.outOfBudget !== null) return withStatus(record, "ready", reason);
  return { ...sendAgain(record), reason: null };
}

/** The same record when it has that status and reason already. */
function withStatus(record: TaskRecord, status: TaskRecord["status"], reason: string | null): TaskRecord {
  return record.status === status && record.reason === reason ? record : { ...record, status, reason };
}
