import { isTrunkHealth } from "@agentswarm/contracts";
import { PLAN_REFUSALS, RED_SWEEPS, roundsExceeded } from "./decide-next.ts";
import { isPlanRefused } from "./decisions/kept-decisions.ts";
import { revisionNumber, tasksIn } from "./find-tasks.ts";
import type { Ledger } from "./ledger.ts";
import { retryRevert } from "./revert-feature.ts";
import { UNUSED, type TaskRecord } from "./task-record.ts";

const ENDED = ["failed", "blocked", "cancelled"] as const;

/**
 * Takes a feature up again that failed or was cancelled, where it ended: its plan is made again, its tasks that ended
 * without landing are built again, or it waits for green again. Rounds and attempts count anew. Pure.
 */
export function retryFeature(ledger: Ledger, by: string): Ledger {
  if (ledger.status !== "failed" && ledger.status !== "cancelled") return ledger;
  if (isTrunkHealth(ledger.feature.id)) return ledger;
  if (ledger.revert !== null) return ledger.status === "failed" ? retryRevert(ledger, by) : ledger;
  const opened: Ledger = {
    ...ledger,
    reason: `retried by ${by}`,
    finishedAt: null,
    redSweeps: [],
    paused: null,
    refusedPlans: 0,
    roundsBefore: Math.max(0, ledger.planningRound - 1),
  };
  if (ledger.redSweeps.length >= RED_SWEEPS) return { ...opened, status: "verifying" };
  const planFailed = roundsExceeded(ledger) || ledger.refusedPlans >= PLAN_REFUSALS;
  // What nobody approved is not built: the feature is planned again.
  if (planFailed || revisionNumber(ledger) === 0 || isPlanRefused(ledger))
    return { ...opened, status: "planning" };
  const ended = new Set(tasksIn(ledger, ENDED).filter((record) => isEnded(ledger, record)));
  const tasks = ledger.tasks.map((record) => (ended.has(record) ? reopened(record) : record));
  return { ...opened, tasks, status: "building" };
}

/** Whether a task ended with the feature, not because another task took its place. */
function isEnded({ status, reason }: Ledger, record: TaskRecord): boolean {
  if (record.supersededBy !== null) return false;
  if (record.status === "failed" || record.status === "blocked") return true;
  return status === "cancelled" && record.status === "cancelled" && record.reason === reason;
}

function reopened(record: TaskRecord): TaskRecord {
  return { ...record, status: "planned", ...UNUSED, reason: null };
}
