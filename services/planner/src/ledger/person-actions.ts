import { isTrunkHealth, type Budget, type Pause } from "@agentswarm/contracts";
import { findRecord, tasksIn } from "./find-tasks.ts";
import { hasEnded, withRecord, type Ledger } from "./ledger.ts";
import { isUnsettled, UNSETTLED, UNUSED } from "./task-record.ts";

/** What a person may do to a feature or a task, as pure steps of the ledger. */

const BUDGET_CAPS = ["usd", "tokens"] as const;

/** Ends a feature and cancels its unsettled tasks. Trunk health never ends: only its tasks are cancelled. */
export function cancelFeature(ledger: Ledger, by: string, finishedAt: number, why = ""): Ledger {
  // A revert goes on to its end: half of it would leave the trunk with half of the feature.
  if (hasEnded(ledger) || ledger.revert !== null) return ledger;
  const reason = whyCancelled(by, why);
  if (!isTrunkHealth(ledger.feature.id))
    return cancelTasks({ ...ledger, status: "cancelled", reason, finishedAt }, reason);
  return tasksIn(ledger, UNSETTLED).length > 0 ? cancelTasks(ledger, reason) : ledger;
}

/** Example: `cancelled by ada: not needed any more`. */
export function whyCancelled(by: string, why: string): string {
  return `cancelled by ${by}${why === "" ? "" : `: ${why}`}`;
}

/** Cancels the unsettled tasks that were read. Further steps settle those of a cancelled feature that were not. */
function cancelTasks(ledger: Ledger, reason: string): Ledger {
  const tasks = ledger.tasks.map((record) =>
    isUnsettled(record) ? { ...record, status: "cancelled" as const, reason } : record,
  );
  return { ...ledger, tasks };
}

/** Reopens a task that ended without landing, with a fresh attempt budget, and with it the feature and its dependents. */
export function retryTask(ledger: Ledger, taskId: string, by: string): Ledger {
  const record = findRecord(ledger, taskId);
  if (record === undefined || !["failed", "blocked", "cancelled"].includes(record.status)) return ledger;
  if (record.supersededBy !== null) return ledger;
  // What was taken back is submitted again; only the revert itself is tried again.
  if (ledger.revert !== null && record.task.revert === undefined) return ledger;
  const opened: Ledger = {
    ...ledger,
    status: "building",
    reason: `retried by ${by}`,
    finishedAt: null,
    redSweeps: [],
  };
  const fresh = { status: "planned", ...UNUSED, reason: null } as const;
  return withRecord(opened, taskId, fresh);
}

/** Pauses a feature that has not ended; null: it goes on. What is paused stays paused by the first who did it. */
export function setPaused(ledger: Ledger, pause: Pause | null): Ledger {
  if (hasEnded(ledger) || (ledger.paused === null) === (pause === null)) return ledger;
  return { ...ledger, paused: pause };
}

/** Gives a feature a budget of its own, or changes the caps that `budget` names. */
export function giveBudget(ledger: Ledger, budget: Budget): Ledger {
  const old = ledger.feature.budget ?? {};
  if (BUDGET_CAPS.every((cap) => budget[cap] === undefined || budget[cap] === old[cap])) return ledger;
  return { ...ledger, feature: { ...ledger.feature, budget: { ...ledger.feature.budget, ...budget } } };
}
