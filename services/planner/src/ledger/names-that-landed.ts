import { standIn, type Ledger } from "./ledger.ts";

/**
 * Keys that a later plan may depend on, with the id of the task whose landing they stand for: a task that was settled
 * by its resolve has landed by it, under its own key too.
 */
export function namesThatLanded(ledger: Ledger): Map<string, string> {
  const names = new Map<string, string>();
  for (const { task } of ledger.tasks) {
    const landed = standIn(ledger, task.id);
    if (landed?.status === "landed") names.set(task.key, landed.task.id);
  }
  return names;
}
