import type { Ledger } from "./ledger.ts";
import { NotRead } from "./not-read.ts";
import { isOpen, type TaskRecord } from "./task-record.ts";

/** What decisions ask of a ledger. Each throws NotRead for what the store has to read first. */

/** The record of a task; undefined when there is no such task, or when its record cannot be read. */
export function findRecord(ledger: Pick<Ledger, "tasks" | "rest">, taskId: string): TaskRecord | undefined {
  const found = ledger.tasks.find((record) => record.task.id === taskId);
  if (found === undefined && !isRead(ledger, taskId)) throw new NotRead({ tasks: [taskId] });
  return found;
}

function isRead({ rest }: Pick<Ledger, "rest">, taskId: string): boolean {
  return rest === undefined || rest.versions.has(taskId);
}

/** Asks for tasks at once, where `findRecord` would ask for one after the other. */
export function needTasks(ledger: Ledger, taskIds: Iterable<string>): void {
  const tasks = [...taskIds].filter(
    (id) => !isRead(ledger, id) && !ledger.tasks.some(({ task }) => task.id === id),
  );
  if (tasks.length > 0) throw new NotRead({ tasks });
}

/** Number of tasks in these states, for a decision. */
export function countOf(ledger: Ledger, statuses: readonly TaskRecord["status"][]): number {
  ledger.rest?.dependsOnAll();
  return countShown(ledger, statuses);
}

/** Number of tasks in these states, for people: another step may have changed it meanwhile. */
export function countShown({ tasks, rest }: Ledger, statuses: readonly TaskRecord["status"][]): number {
  const read = tasks.filter((record) => statuses.includes(record.status)).length;
  return statuses.reduce((sum, status) => sum + (rest?.counts[status] ?? 0), read);
}

/** The tasks in these states, the oldest first; with a limit at least so many of them, if there are. */
export function tasksIn(
  ledger: Ledger,
  statuses: readonly TaskRecord["status"][],
  limit = Number.POSITIVE_INFINITY,
): TaskRecord[] {
  if (countOf(ledger, statuses) === 0) return [];
  const { rest } = ledger;
  if (rest !== undefined) {
    const unread = statuses.filter((status) => (rest.counts[status] ?? 0) > 0 && !rest.lists.has(status));
    if (unread.length > 0) throw new NotRead({ lists: unread });
    const ids = statuses.flatMap((status) => rest.lists.get(status) ?? []);
    needTasks(ledger, ids.slice(0, limit));
  }
  return ledger.tasks.filter((record) => statuses.includes(record.status));
}

/** The tasks in this state that were made last, the oldest of them first. */
export function newestIn(ledger: Ledger, status: TaskRecord["status"], limit: number): TaskRecord[] {
  const ids = ledger.rest?.lists.get(status);
  if (ledger.rest !== undefined && ids === undefined) throw new NotRead({ lists: [status] });
  needTasks(ledger, ids?.slice(-limit) ?? []);
  return ledger.tasks.filter((record) => record.status === status).slice(-limit);
}

/** The resolve tasks that are open, the oldest first. */
export function openResolves(ledger: Ledger): TaskRecord[] {
  const { rest } = ledger;
  if (rest !== undefined) {
    const ids = rest.lists.get("resolves");
    if (ids === undefined) throw new NotRead({ lists: ["resolves"] });
    needTasks(ledger, ids);
    rest.dependsOnAll();
  }
  return ledger.tasks.filter((record) => record.task.kind === "resolve" && isOpen(record));
}

/** The fix tasks of a failure and their resolves, the oldest first. */
export function tasksOfSignature(ledger: Ledger, signature: string): TaskRecord[] {
  const { rest } = ledger;
  if (rest !== undefined) {
    const ids = rest.signatures.get(signature);
    if (ids === undefined) throw new NotRead({ signatures: [signature] });
    needTasks(ledger, ids);
    rest.dependsOnAll();
  }
  return ledger.tasks.filter((record) => record.signature === signature);
}

/** The commits by which the feature's tasks landed, by the ids of the tasks. */
export function landingsOf(ledger: Ledger): ReadonlyMap<string, string> {
  const { rest, tasks } = ledger;
  if (rest !== undefined && rest.landings === null) throw new NotRead({ landings: true });
  rest?.dependsOnAll();
  const landings = new Map(rest?.landings);
  for (const { task, commit } of tasks) {
    if (commit === null) landings.delete(task.id);
    else landings.set(task.id, commit);
  }
  return landings;
}

/** Number of the newest revision; 0 before the first plan. */
export function revisionNumber({ revisions, rest }: Ledger): number {
  return (rest?.revisions ?? 0) + revisions.length;
}

/**
 * The task itself, or the resolve that replaced it after a conflict, however often that happened. Example: `a` conflicted
 * and is superseded by `a-resolve`; the stand-in of `a` is `a-resolve`. If a late attempt of `a` lands after all, it is `a`.
 */
export function standIn(ledger: Ledger, taskId: string): TaskRecord | null {
  const seen = new Set<string>();
  let found = findRecord(ledger, taskId) ?? null;
  while (found !== null && found.supersededBy !== null && !seen.has(found.task.id)) {
    if (found.status === "landed") return found;
    seen.add(found.task.id);
    found = findRecord(ledger, found.supersededBy) ?? null;
  }
  return found;
}

/**
 * Keys that a later plan may depend on, each with the id of the task that landed under it. Example: `a` landed, `b`
 * conflicted and `b-resolve` landed: `a` → id of a, `b` → id of b-resolve, `b-resolve` → id of b-resolve.
 */
export function namesThatLanded(ledger: Ledger): ReadonlyMap<string, string> {
  const { rest } = ledger;
  if (rest !== undefined) {
    if (rest.names === null) throw new NotRead({ names: true });
    rest.dependsOnAll();
    return rest.names;
  }
  const names = new Map<string, string>();
  for (const { task } of ledger.tasks) {
    const landed = standIn(ledger, task.id);
    if (landed?.status === "landed") names.set(task.key, landed.task.id);
  }
  return names;
}

/** Finds the tasks that depend on a task or wait behind it, or on the task that it stands in for. */
export function dependentsIn(ledger: Ledger): (record: TaskRecord) => Set<string> {
  const read = new Map<string, string[]>();
  for (const record of ledger.tasks) {
    for (const id of [...record.task.dependsOn, ...record.after]) {
      const known = read.get(id);
      if (known === undefined) read.set(id, [record.task.id]);
      else known.push(record.task.id);
    }
  }
  return ({ task }) => {
    const found = new Set<string>();
    for (const id of [task.id, ...(task.parentId === undefined ? [] : [task.parentId])]) {
      needTasks(ledger, [id]);
      for (const one of [...(ledger.rest?.dependents.get(id) ?? []), ...(read.get(id) ?? [])]) found.add(one);
    }
    return found;
  };
}
