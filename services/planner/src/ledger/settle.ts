import { sendAgain } from "./decide-retry.ts";
import { changedTasks, maySend, type Ledger } from "./ledger.ts";
import { isPlanOpen } from "./decisions/kept-decisions.ts";
import { countOf, dependentsIn, findRecord, needTasks, standIn } from "./find-tasks.ts";
import { openReviewSlots, type ReviewSlots } from "./reviews/review-room.ts";
import { isOpen, isUnsent, isUnsettled, type TaskRecord } from "./task-record.ts";

const CANNOT_LAND: ReadonlySet<TaskRecord["status"]> = new Set(["failed", "blocked", "cancelled"]);
/** Number of tasks that one step looks at. The others are due: further steps look at them. */
const TASKS_PER_STEP = 50;

/**
 * The transition rule of tasks: a task whose dependencies have all landed is sent, or is ready while the feature is paused,
 * a budget is used up, or people have enough landings to look at; a task whose dependency cannot land any more is blocked.
 * Nothing is sent while a feature is being planned, its plan waits for an approval, or it has ended; the tasks of a
 * cancelled feature are cancelled. It looks at the tasks that differ from those in `from` (null: at
 * all that were read), at what is due, and at what depends on the tasks that it changes. Pure; applyStep applies it with
 * every step. Returns the same ledger when nothing changes.
 */
export function settle(
  ledger: Ledger,
  from: Ledger | null = null,
  slots: ReviewSlots = openReviewSlots(null),
): Ledger {
  if (ledger.status === "cancelled") return cancelUnsettled(ledger);
  const changed = from === null ? ledger.tasks : changedTasks(from, ledger);
  const first = changed.map(({ task }) => task.id);
  const settled = releaseHold(ledger);
  if ((settled.status !== "building" && settled.status !== "held") || isPlanOpen(ledger))
    return from === null ? ledger : withDue(ledger, [...new Set([...ledger.due, ...first])]);
  const ready = maySend(ledger) ? ledger.tasks.filter((record) => record.status === "ready") : [];
  const batch = ledger.rest?.batch ?? [];
  return settleTasks(
    settled,
    [...first, ...ledger.due, ...batch, ...ready.map(({ task }) => task.id)],
    slots,
  );
}

/** Follow-up steps of a cancelled feature read the tasks that are still to be cancelled. */
function cancelUnsettled(ledger: Ledger): Ledger {
  needTasks(ledger, ledger.rest?.batch ?? []);
  if (!ledger.tasks.some(isUnsettled)) return ledger;
  const { reason } = ledger;
  const tasks = ledger.tasks.map((record) =>
    isUnsettled(record) ? { ...record, status: "cancelled" as const, reason } : record,
  );
  return { ...ledger, tasks };
}

/** A feature is held only while its plan or one of its tasks is. */
function releaseHold(ledger: Ledger): Ledger {
  if (ledger.status !== "held" || isPlanOpen(ledger) || countOf(ledger, ["held"]) > 0) return ledger;
  return { ...ledger, status: "building", reason: null };
}

/** Settles these tasks, and those that depend on them, as far as one step goes. */
function settleTasks(ledger: Ledger, first: readonly string[], slots: ReviewSlots): Ledger {
  const limit = ledger.rest === undefined ? Number.POSITIVE_INFINITY : TASKS_PER_STEP;
  const dependents = dependentsIn(ledger);
  const waiting = new Set(first);
  const mayMove = new Set(first);
  let settled = ledger;
  let looked = 0;
  while (waiting.size > 0 && looked < limit) {
    const level = [...waiting].slice(0, limit - looked);
    needTasks(settled, level);
    needTasks(
      settled,
      level.flatMap((id) => dependenciesOf(findRecord(settled, id))),
    );
    for (const id of level) {
      waiting.delete(id);
      looked += 1;
      const record = findRecord(settled, id);
      if (record === undefined) continue;
      const next = isUnsent(record) ? settleTask(settled, record, slots) : record;
      if (next !== record) settled = replace(settled, next);
      if (!mayMove.delete(id) && next === record) continue;
      for (const one of dependents(record)) waiting.add(one);
    }
  }
  return withDue(settled, [...waiting]);
}

function replace(ledger: Ledger, next: TaskRecord): Ledger {
  return {
    ...ledger,
    tasks: ledger.tasks.map((record) => (record.task.id === next.task.id ? next : record)),
  };
}

function withDue(ledger: Ledger, due: readonly string[]): Ledger {
  const same = due.length === ledger.due.length && due.every((id) => ledger.due.includes(id));
  return same ? ledger : { ...ledger, due: [...due] };
}

function dependenciesOf(record: TaskRecord | undefined): readonly string[] {
  return record !== undefined && isUnsent(record) ? [...record.task.dependsOn, ...record.after] : [];
}

function settleTask(ledger: Ledger, record: TaskRecord, slots: ReviewSlots): TaskRecord {
  const dependencies = record.task.dependsOn.map((id) => standIn(ledger, id));
  // Whether a task that cannot be read has landed is not known, so what depends on it waits for a repair.
  if (dependencies.includes(null) && (ledger.rest?.unreadable.size ?? 0) > 0) return record;
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
  // No model is asked for a revert and nobody reads it, so it waits for no budget and no review.
  const isFree = record.task.kind === "revert" && ledger.paused === null;
  if (!isFree && (!maySend(ledger) || !slots.take(record.task))) return withStatus(record, "ready", reason);
  return { ...sendAgain(record), reason: null };
}

/** The same record when it has that status and reason already. */
function withStatus(record: TaskRecord, status: TaskRecord["status"], reason: string | null): TaskRecord {
  return record.status === status && record.reason === reason ? record : { ...record, status, reason };
}
