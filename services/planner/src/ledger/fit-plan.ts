import { findRecord, namesThatLanded } from "./find-tasks.ts";
import type { Ledger } from "./ledger.ts";
import { refusePlan, type PlannedTask } from "./validate-plan.ts";

/** The tasks of a plan that are still to be done, or the reason why the plan is invalid. Pure. */
export function fitPlan(
  planned: readonly PlannedTask[],
  ledger: Ledger,
  maxTasks: number,
): { readonly tasks: readonly PlannedTask[]; readonly refusal: string | null } {
  const tasks = fitKeys(planned, ledger);
  if (tasks.length === 0 && planned.length > 0) {
    const keys = planned.map((task) => task.key).join(", ");
    return { tasks, refusal: `every task of the plan has landed already: ${keys}` };
  }
  return { tasks, refusal: refusePlan(tasks, new Set(namesThatLanded(ledger).keys()), maxTasks) };
}

/** The longest key is 48 characters; two dashes and a number must fit behind it. */
const KEPT_CHARS = 44;

/**
 * The tasks of a plan without those that have landed. A model that plans again often repeats the whole plan: a task with
 * the key and title of a landed one is dropped, and dependencies on it are met. A task with such a key and another title
 * is other work, so it gets a new key, and tasks of the plan that depend on it follow.
 */
function fitKeys(tasks: readonly PlannedTask[], ledger: Ledger): PlannedTask[] {
  const landed = namesThatLanded(ledger);
  const titleOf = (key: string) => {
    const id = landed.get(key);
    return id === undefined ? undefined : findRecord(ledger, id)?.task.title;
  };
  const open = tasks.filter(({ key, title }) => !landed.has(key) || !isSameTitle(title, titleOf(key)));
  const taken = new Set([...landed.keys(), ...tasks.map((task) => task.key)]);
  const renamed = new Map<string, string>();
  for (const { key } of open) {
    if (!landed.has(key) || renamed.has(key)) continue;
    const next = freeKey(key, taken);
    taken.add(next);
    renamed.set(key, next);
  }
  if (open.length === tasks.length && renamed.size === 0) return [...tasks];
  return open.map((task) => {
    const key = renamed.get(task.key) ?? task.key;
    // A task that names its own key means the landed one, which it goes on from.
    const dependsOn = task.dependsOn.map((one) => (one === task.key ? one : (renamed.get(one) ?? one)));
    return { ...task, key, dependsOn };
  });
}

function isSameTitle(one: string, other: string | undefined): boolean {
  return one.trim().toLowerCase() === other?.trim().toLowerCase();
}

function freeKey(key: string, taken: ReadonlySet<string>): string {
  for (let number = 2; ; number += 1) {
    const next = `${key.slice(0, KEPT_CHARS)}-${number}`;
    if (!taken.has(next)) return next;
  }
}
