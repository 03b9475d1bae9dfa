import { DEFAULT_CHECK_TIMEOUT_MS, DEFAULT_LIMITS, type Task } from "@agentswarm/contracts";
import { taskIdOf } from "@agentswarm/contracts/node";
import { namesThatLanded, revisionNumber, tasksIn } from "./find-tasks.ts";
import { newRecord } from "./task-record.ts";
import type { Ledger } from "./ledger.ts";
import type { PlannedTask } from "./validate-plan.ts";

export interface TaskDefaults {
  readonly attemptBudget: number;
  readonly wallMs: number;
}

/**
 * Adds a valid plan to the ledger as a new revision. The ids of its tasks are derived from feature, revision and key.
 * Tasks of earlier revisions that failed or were blocked are cancelled. The plan is stored before any task is sent.
 */
export function adoptPlan(ledger: Ledger, planned: readonly PlannedTask[], defaults: TaskDefaults): Ledger {
  const number = revisionNumber(ledger) + 1;
  const { feature, slug } = ledger;
  const landed = namesThatLanded(ledger);
  const idOf = (key: string) => landed.get(key) ?? taskIdOf(feature.id, number, key);
  const tasks = planned.map((one): Task => ({
    id: taskIdOf(feature.id, number, one.key),
    featureId: feature.id,
    repoId: feature.repoId,
    featureSlug: slug,
    key: one.key,
    kind: "build",
    title: one.title,
    description: one.description,
    context: "",
    scope: one.scope,
    acceptance: one.acceptance,
    checks: one.checks.map((command) => ({
      name: command.slice(0, 100),
      command,
      timeoutMs: DEFAULT_CHECK_TIMEOUT_MS,
    })),
    dependsOn: one.dependsOn.map(idOf),
    // A plan may put its tasks behind those of other features, never before them.
    priority: Math.max(feature.priority, one.priority ?? feature.priority),
    limits: { ...DEFAULT_LIMITS, wallMs: defaults.wallMs },
    attemptBudget: defaults.attemptBudget,
    feedback: "",
  }));
  const given = new Set(tasksIn(ledger, ["failed", "blocked"]));
  const earlier = ledger.tasks.map((record) =>
    given.has(record)
      ? {
          ...record,
          status: "cancelled" as const,
          reason: `planned again in revision ${number}: ${record.reason ?? ""}`,
        }
      : record,
  );
  return {
    ...ledger,
    status: "building",
    reason: null,
    refusedPlans: 0,
    refusal: "",
    revisions: [
      ...ledger.revisions,
      { number, round: ledger.planningRound, taskIds: tasks.map((task) => task.id) },
    ],
    tasks: [...earlier, ...tasks.map((task) => newRecord(task))],
  };
}
