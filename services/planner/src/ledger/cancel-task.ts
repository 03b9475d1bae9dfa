import { dependentsIn, needTasks, standIn } from "./find-tasks.ts";
import { hasEnded, type Ledger } from "./ledger.ts";
import { whyCancelled } from "./person-actions.ts";
import type { TaskRecord } from "./task-record.ts";

const OVER: ReadonlySet<TaskRecord["status"]> = new Set(["landed", "cancelled"]);

/**
 * Cancels a task, and every task that depends on it or on one of those: without it they cannot land. The feature goes on
 * with its other tasks, and at its end the model is asked whether the acceptance is met. A task that was superseded is
 * cancelled in the resolve that took its place. One that has landed stays; `revert` takes landings back. Pure.
 */
export function cancelTask(ledger: Ledger, taskId: string, by: string, why: string): Ledger {
  if (hasEnded(ledger)) return ledger;
  const first = standIn(ledger, taskId);
  if (first === null || OVER.has(first.status)) return ledger;
  const reason = whyCancelled(by, why);
  const reasons = new Map([[first.task.id, reason]]);
  for (const { task } of dependentsOf(ledger, first))
    reasons.set(task.id, `it depends on ${first.task.key}, which was ${reason}`);
  const tasks = ledger.tasks.map((record) => {
    const own = reasons.get(record.task.id);
    return own === undefined ? record : { ...record, status: "cancelled" as const, reason: own };
  });
  return { ...ledger, tasks };
}

/** The tasks that cannot land without this one, directly or through others, each as what stands in for it. */
function dependentsOf(ledger: Ledger, first: TaskRecord): TaskRecord[] {
  const dependents = dependentsIn(ledger);
  const found = new Map([[first.task.id, first]]);
  let level = [first];
  while (level.length > 0) {
    const next = new Map<string, TaskRecord>();
    for (const { task, ids } of level.map((record) => ({
      task: record.task,
      ids: [...dependents(record)],
    }))) {
      needTasks(ledger, ids);
      for (const id of ids) {
        const record = standIn(ledger, id);
        if (record === null || OVER.has(record.status) || found.has(record.task.id)) continue;
        // What only waits behind a task that changes the same lines does without it.
        if (dependsOn(ledger, id, [task.id, task.parentId])) next.set(record.task.id, record);
      }
    }
    for (const [id, record] of next) found.set(id, record);
    level = [...next.values()];
  }
  found.delete(first.task.id);
  return [...found.values()];
}

function dependsOn(ledger: Ledger, id: string, on: readonly (string | undefined)[]): boolean {
  const record = ledger.tasks.find(({ task }) => task.id === id);
  return record?.task.dependsOn.some((one) => on.includes(one)) ?? false;
}
