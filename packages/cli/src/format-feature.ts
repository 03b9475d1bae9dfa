import type { FeatureDetail, TaskSummary } from "@agentswarm/contracts";
import { formatOpenDecision } from "./format-decision.ts";
import { formatPeople } from "./format-people.ts";
import { longReason, oneLine } from "./format-reason.ts";

/** One feature with its tasks, each with its reason below it. */
export function formatFeature(feature: FeatureDetail): string {
  const { id, status, title, reason, waiting, tasks, notice, decisions } = feature;
  const own = status === "failed" || reason?.startsWith("waiting: ") === true ? reason : null;
  // The waiting of a task is shown with the task.
  const ofTask = tasks.some((task) => task.waiting?.reason === waiting?.reason);
  const held = new Set(tasks.flatMap((task) => (task.heldCommit === null ? [] : task.id)));
  const asked = decisions.filter(({ taskId }) => taskId === null || !held.has(taskId));
  const why = own ?? (waiting && !ofTask ? `waiting: ${waiting.reason}` : null);
  return [
    `${status}  ${id}  ${oneLine(title)}`,
    ...indent(formatPeople(feature), 2),
    ...indent(why === null ? [] : longReason(why), 2),
    ...indent(notice && notice !== waiting?.reason ? longReason(notice) : [], 2),
    ...indent(asked.flatMap(formatOpenDecision), 2),
    ...tasks.flatMap(formatTask),
  ].join("\n");
}

function formatTask(task: TaskSummary): string[] {
  const why = task.waiting ? `waiting: ${task.waiting.reason}` : task.reason;
  return [
    `  ${task.status.padEnd(10)} ${task.id}  ${oneLine(task.title)}`,
    ...indent(why ? longReason(why) : [], 13),
    ...indent(task.heldCommit === null ? [] : howToDecide(task.id, task.heldCommit), 13),
  ];
}

/** How a person looks at the commit of a held attempt and decides. */
function howToDecide(taskId: string, commit: string): string[] {
  return [
    `look at it: swarm diff ${taskId}`,
    `then: swarm approve ${taskId} --head ${commit.slice(0, 12)}   (or --refuse --reason "…")`,
  ];
}

function indent(lines: readonly string[], by: number): string[] {
  return lines.map((line) => " ".repeat(by) + line);
}
