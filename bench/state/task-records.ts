import { DEFAULT_LIMITS, DEFAULT_REPO, type Task } from "@agentswarm/contracts";
import { newRecord, type TaskRecord } from "../../services/planner/src/ledger/task-record.ts";

export const FEATURE = {
  id: "feature-bench",
  repoId: DEFAULT_REPO,
  title: "Bench",
  description: "A feature with many tasks",
  acceptance: [],
  priority: 5,
  source: "rest" as const,
  createdAt: 1,
};

const DESCRIPTION =
  "Add the function, its tests and its documentation, and export it from the package. ".repeat(10);

export function taskId(nth: number): string {
  return `task-${nth}-0123456789abcdef`;
}

/** Tasks of about two kilobytes, as a model plans them; `dependsOn` names the task that each one waits for, or null. */
export function taskRecords(count: number, dependsOn: (nth: number) => number | null): TaskRecord[] {
  return Array.from({ length: count }, (_, nth) => {
    const before = dependsOn(nth);
    const record = newRecord(taskOf(nth, before === null ? [] : [taskId(before)]));
    return before === null ? { ...record, status: "sent", round: 1 } : record;
  });
}

/** Every second task waits for the one before it. */
export function inPairs(nth: number): number | null {
  return nth % 2 === 1 ? nth - 1 : null;
}

function taskOf(nth: number, dependsOn: string[]): Task {
  return {
    id: taskId(nth),
    featureId: FEATURE.id,
    repoId: DEFAULT_REPO,
    featureSlug: "bench",
    key: `task-${nth}`,
    kind: "build",
    title: `Task number ${nth}`,
    description: DESCRIPTION,
    context: "",
    scope: [`src/part-${nth}/**`, `test/part-${nth}/**`],
    acceptance: ["The tests of the part pass.", "The part is documented."],
    checks: [{ name: "npm test", command: "npm test", timeoutMs: 60_000 }],
    dependsOn,
    priority: 5,
    limits: DEFAULT_LIMITS,
    attemptBudget: 3,
    feedback: "",
  };
}
