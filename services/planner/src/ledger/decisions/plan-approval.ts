import { createHash } from "node:crypto";
import { revisionNumber, tasksIn } from "../find-tasks.ts";
import type { Ledger } from "../ledger.ts";
import type { StepFacts } from "../step-facts.ts";
import { replan } from "../steps.ts";
import type { TaskRecord } from "../task-record.ts";
import { askDecision } from "./ask-decision.ts";
import { isPlanOpen, isPlanRefused } from "./kept-decisions.ts";
import type { DecisionRules } from "./rules.ts";

/** Number of tasks that the question about a plan lists. */
const LISTED = 100;
const LINE_CHARS = 300;

const OPTIONS = [
  { id: "approve", label: "send its tasks" },
  { id: "refuse", label: "plan again, with your text as the reason" },
];

/** Holds a feature whose plan this step has adopted, when the plan needs an approval. */
export function holdForPlan(before: Ledger | null, ledger: Ledger, facts: StepFacts): Ledger {
  if (before === null || ledger.status !== "building") return ledger;
  // A retry of one of its tasks does not approve a plan.
  if (isPlanOpen(ledger)) return heldForPlan(ledger);
  const number = revisionNumber(ledger);
  const taskIds = new Set(ledger.revisions.at(-1)?.taskIds);
  if (number === revisionNumber(before) || !needsApproval(ledger, taskIds.size, facts.rules)) return ledger;
  const tasks = ledger.tasks.filter(({ task }) => taskIds.has(task.id));
  const asked = { taskId: null, attempt: null, head: planHead(tasks), nth: number, default: null };
  return heldForPlan(
    askDecision(ledger, { kind: "plan", ...asked, ask: planText(tasks), options: OPTIONS }, facts),
  );
}

function needsApproval(ledger: Ledger, tasks: number, { planFromTasks }: DecisionRules): boolean {
  if (planFromTasks === 0 || tasks === 0) return false;
  // A smaller plan does not get round the person who refused the one before it.
  return tasks >= planFromTasks || isPlanRefused(ledger);
}

function heldForPlan(ledger: Ledger): Ledger {
  return { ...ledger, status: "held", reason: "its plan waits for an approval (swarm inbox)" };
}

/** A hash of everything that an approval is about. */
function planHead(tasks: readonly TaskRecord[]): string {
  const what = tasks.map(({ task }) => {
    const { id, title, description, scope, acceptance, checks, dependsOn } = task;
    return [id, title, description, scope, acceptance, checks.map(({ command }) => command), dependsOn];
  });
  return createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 40);
}

function planText(tasks: readonly TaskRecord[]): string {
  const keys = new Map(tasks.map(({ task }) => [task.id, task.key]));
  const lines = tasks.slice(0, LISTED).map(({ task }, nth) => {
    const after = task.dependsOn.map((id) => keys.get(id) ?? id).join(", ");
    const scope = task.scope.join(", ");
    const parts = [task.title, scope && `changes ${scope}`, after && `after ${after}`].filter(Boolean);
    return `${nth + 1}. \`${task.key}\`: ${parts.join("; ")}`.slice(0, LINE_CHARS);
  });
  const more = tasks.length > LISTED ? [`… and ${tasks.length - LISTED} more`] : [];
  const head = `The plan has ${tasks.length} ${tasks.length === 1 ? "task" : "tasks"}. None is sent before it is approved.`;
  return [head, "", ...lines, ...more].join("\n");
}

export function approvePlan(ledger: Ledger): Ledger {
  return ledger.status === "held" ? { ...ledger, status: "building", reason: null } : ledger;
}

/**
 * Cancels the tasks of a plan that a person refused, and plans again with this person's words. Rounds that a person asks
 * for do not count against the limit of the feature. When nobody answered in time, the feature fails instead: planning
 * again would pay for one plan after the other that nobody looks at.
 */
export function refusePlan(
  ledger: Ledger,
  { by, text }: { readonly by: string | null; readonly text: string },
  { at }: Pick<StepFacts, "at">,
): Ledger {
  const why = by === null ? text : `the plan was refused by ${by}${text === "" ? "" : `: ${text}`}`;
  const unsent = new Set(tasksIn(ledger, ["planned", "ready", "blocked"]));
  const tasks = ledger.tasks.map((record) =>
    unsent.has(record) ? { ...record, status: "cancelled" as const, reason: why } : record,
  );
  if (by === null) return { ...ledger, tasks, status: "failed", reason: why, finishedAt: at };
  return { ...replan({ ...ledger, tasks, reason: null }, why), roundsBefore: ledger.roundsBefore + 1 };
}
