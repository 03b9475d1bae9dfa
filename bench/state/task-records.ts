import { DEFAULT_LIMITS, DEFAULT_REPO, type Task } from "@agentswarm/contracts";
import { newRecord, type TaskRecord } from "../../services/planner/src/ledger/task-record.ts";

const DESCRIPTION =
  "Add the function, its tests and its documentation, and export it from the package. ".repeat(10);

export function taskId(nth: number): string {
  return `task-${nth}-0123456789abcdef`;
}

/** Tasks of about two kilobytes, as a model plans them. Every second one depends on the one before it. */
export function taskRecords(featureId: string, count: number): TaskRecord[] {
  return Array.from({ length: count }, (_, nth) => newRecord(taskOf(featureId, nth)));
}

function taskOf(featureId: string, nth: number): Task {
  return {
    id: taskId(nth),
    featureId,
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
    dependsOn: nth % 2 === 1 ? [taskId(nth - 1)] : [],
    priority: 5,
    limits: DEFAULT_LIMITS,
    attemptBudget: 3,
    feedback: "",
  };
}
