import { DEFAULT_LIMITS, isTrunkHealth, type FeatureRevert, type Task } from "@agentswarm/contracts";
import { taskIdOf } from "@agentswarm/contracts/node";
import { findRecord, landingsOf, needTasks, standIn, tasksIn } from "./find-tasks.ts";
import { withRecord, type Ledger } from "./ledger.ts";
import { newRecord, UNSETTLED, UNUSED, type TaskRecord } from "./task-record.ts";

/**
 * Reverting a feature, as pure steps of its ledger. Its unsettled tasks are cancelled; then one task takes all its
 * landings back, or one task for each landing where they cannot be taken back together. The tasks are ordinary ones for
 * the merger: each landing passes the gate, and a conflict has a resolve. When all have landed the feature is cancelled.
 */

/** Number of landings that one task takes back. */
const LANDINGS_PER_TASK = 1_000;
const REVERT_PRIORITY = 1;
/** A gate that is red without these landings is red each time, but a check may be flaky once. */
const ATTEMPTS = 2;

/** Begins the revert of a feature in whatever state it is. A revert that failed is taken up again where it ended. */
export function revertFeature(ledger: Ledger, asked: FeatureRevert): Ledger {
  if (isTrunkHealth(ledger.feature.id)) return ledger;
  if (ledger.revert !== null) return ledger.status === "failed" ? retryRevert(ledger, asked.by) : ledger;
  const why = `the feature is ${describeRevert(asked)}`;
  const open = new Set(tasksIn(ledger, [...UNSETTLED, "blocked"]));
  const tasks = ledger.tasks.map((record) =>
    open.has(record) ? { ...record, status: "cancelled" as const, reason: why } : record,
  );
  const { by, via, at } = asked;
  return {
    ...ledger,
    status: "building",
    reason: `being ${describeRevert(asked)}`,
    finishedAt: null,
    paused: null,
    revert: { by, via, at, why: asked.why, covered: [], taskIds: [] },
    tasks,
  };
}

/** Example: `reverted by ada: it broke the login`. */
export function describeRevert({ by, why }: Pick<FeatureRevert, "by" | "why">): string {
  return `reverted by ${by}${why === "" ? "" : `: ${why}`}`;
}

/** Takes a revert that failed up again: what has not landed of it is tried again. */
export function retryRevert(ledger: Ledger, by: string): Ledger {
  if (ledger.revert === null) return ledger;
  const opened: Ledger = { ...ledger, status: "building", reason: `retried by ${by}`, finishedAt: null };
  const fresh = { status: "planned", ...UNUSED, reason: null } as const;
  return unlandedParts(ledger).reduce(
    (open, record) => (record === null ? open : withRecord(open, record.task.id, fresh)),
    opened,
  );
}

/** The tasks of the revert that have not landed, each as what stands in for it. Null: there is no such task any more. */
export function unlandedParts(ledger: Ledger): (TaskRecord | null)[] {
  const ids = ledger.revert?.taskIds ?? [];
  needTasks(ledger, ids);
  return ids.map((id) => standIn(ledger, id)).filter((record) => record?.status !== "landed");
}

/** Ids of the feature's tasks that have landed and that no task takes back yet: a landing may come late. */
export function unrevertedTasks(ledger: Ledger): string[] {
  const covered = new Set(ledger.revert?.covered);
  const landed = [...landingsOf(ledger).keys()].filter((id) => !covered.has(id));
  needTasks(ledger, landed);
  return landed.filter((id) => findRecord(ledger, id)?.task.revert === undefined);
}

/** A landing that was found on the trunk, by its trailers. */
interface TrunkLanding {
  readonly taskId: string;
  readonly commit: string;
}

/**
 * Adds the task that takes back what has landed. `landings`: the feature's landings on the trunk, newest first. What the
 * trunk does not have, because it was force-pushed or had the changes before, needs no task.
 */
export function addRevert(ledger: Ledger, landings: readonly TrunkLanding[]): Ledger {
  const { revert } = ledger;
  if (revert === null) return ledger;
  const tasks = unrevertedTasks(ledger);
  if (tasks.length === 0) return ledger;
  const wanted = new Set(tasks);
  const commits = landings.flatMap(({ taskId, commit }) => (wanted.has(taskId) ? [commit] : []));
  const groups: string[][] = [];
  for (let from = 0; from < commits.length; from += LANDINGS_PER_TASK)
    groups.push(commits.slice(from, from + LANDINGS_PER_TASK));
  const covered = [...revert.covered, ...tasks];
  const begun: Ledger = {
    ...ledger,
    status: "building",
    finishedAt: null,
    revert: { ...revert, covered },
  };
  return withParts(begun, groups, null);
}

/**
 * Takes the landings of a task back one by one, the newest first, because together they conflict with what others built
 * upon them. So a conflict of one landing is resolved for that one, and the others need no model.
 */
export function splitRevert(ledger: Ledger, record: TaskRecord, paths: readonly string[]): Ledger {
  const commits = record.task.revert?.commits ?? [];
  const reason = `its landings are taken back one by one: together they conflict in ${paths.join(", ")}`;
  const cleared = withRecord(ledger, record.task.id, { status: "cancelled", reason });
  return withParts(
    cleared,
    commits.map((commit) => [commit]),
    record.task.id,
  );
}

/** Adds one task for each group of commits, each behind the one before. They take the place of the part `instead`. */
function withParts(ledger: Ledger, groups: readonly string[][], instead: string | null): Ledger {
  const { revert } = ledger;
  if (revert === null) return ledger;
  const tasks: Task[] = [];
  for (const commits of groups) {
    const before = tasks.at(-1);
    tasks.push(revertTask(ledger, commits, before === undefined ? [] : [before.id]));
  }
  const taskIds = [...revert.taskIds.filter((id) => id !== instead), ...tasks.map(({ id }) => id)];
  const records = tasks.map((task) => newRecord(task));
  return { ...ledger, revert: { ...revert, taskIds }, tasks: [...ledger.tasks, ...records] };
}

function revertTask(ledger: Ledger, commits: string[], dependsOn: string[]): Task {
  const { feature, slug, revert } = ledger;
  const [newest = "", oldest = newest] = [commits[0], commits.at(-1)];
  const one = commits.length === 1;
  const key = one ? `revert-${newest.slice(0, 12)}` : `revert-${commits.length}-landings`;
  const what = one ? `the landing ${newest}` : `${commits.length} landings, from ${newest} back to ${oldest}`;
  return {
    id: taskIdOf(feature.id, commits.length, `${key}-${newest}`),
    featureId: feature.id,
    repoId: feature.repoId,
    featureSlug: slug,
    key,
    kind: "revert",
    title: `Revert "${feature.title}"`.slice(0, 200),
    description: `Take back ${what}, and keep what others have built since.\n${revert === null ? "" : `${describeRevert(revert)}\n`}`,
    context: "",
    scope: [],
    acceptance: [],
    checks: [],
    dependsOn,
    priority: Math.min(feature.priority, REVERT_PRIORITY),
    limits: DEFAULT_LIMITS,
    attemptBudget: ATTEMPTS,
    revert: { commits, by: revert?.by ?? "local" },
    feedback: "",
  };
}
