import {
  isOverdue,
  plainText,
  type AnsweredDecision,
  type Decision,
  type OpenDecisions,
} from "@agentswarm/contracts";
import { oneLine, shortReason } from "./format-reason.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What people are asked, three lines each. `now`: milliseconds since 1970. */
export function formatInbox(decisions: readonly Decision[], now: number): string {
  if (decisions.length === 0) return "no open decisions";
  return decisions
    .flatMap((decision) => [
      `${decision.id}  ${decision.kind.padEnd(8)}  ${dueText(decision, now)}  ${decision.taskId ?? decision.featureId}`,
      `    ${shortReason(decision.ask)}`,
      `    ${howToAnswer(decision)}`,
    ])
    .join("\n");
}

/** One decision: what is asked, what the answer is about, and how it is given or ended. */
export function formatDecision(decision: Decision, now: number): string {
  const { id, kind, state, ask, head, options, answers, needs } = decision;
  const missing = needs.count - answers.length;
  const lines = [
    `${state}  ${id}  ${kind}  ${subjectText(decision)}`,
    ...plainText(ask)
      .split("\n")
      .map((line) => `  ${line}`.trimEnd()),
    ...options.map((option) => `  ${option.id}: ${oneLine(option.label)}`),
    ...answers.map(({ by, option, text }) => `  ${by} answered ${oneLine(option ?? text)}`),
  ];
  if (state !== "open") return [...lines, ...endText(decision)].join("\n");
  return [
    ...lines,
    ...(decision.default === null ? [] : [`  by default: ${oneLine(decision.default)}`]),
    `  ${dueText(decision, now)}; needs ${missing === 1 ? "a" : missing} ${needs.role}${needs.notBy.length === 0 ? "" : `, but not ${needs.notBy.map(oneLine).join(", ")}`}`,
    ...(head === null ? [] : [`  head ${head}`]),
    ...howToLook(decision).map((line) => `  look at it: ${line}`),
    `  then: ${howToAnswer(decision)}`,
  ].join("\n");
}

/** What an answer has led to. */
export function formatAnswered({
  id,
  counted,
  state,
  head,
  outcome,
  needs,
  answers,
}: AnsweredDecision): string {
  if (!counted) return `sent, and not known yet whether it counts: swarm decide ${id}`;
  const at = head === null ? "" : ` at ${head}`;
  if (state !== "open") return `decided: ${oneLine(outcome?.option ?? outcome?.text ?? "")}  ${id}${at}`;
  return `answer ${answers.length} of ${needs.count}  ${id}${at}`;
}

/** What a feature waits for, and the command that shows it whole. */
export function formatOpenDecision({ id, kind, ask }: Decision): string[] {
  return [`? ${kind}: ${shortReason(ask)}`, `  swarm decide ${id}`];
}

/** The line of `swarm status` about open decisions; none without one. */
export function formatOpenDecisions({ open, byKind, overdue }: OpenDecisions): string[] {
  if (open === 0) return [];
  const kinds = Object.entries(byKind).map(([kind, count]) => `${count} ${kind}`);
  const late = overdue === 0 ? "" : `, ${overdue} overdue`;
  return [
    `? ${open} ${open === 1 ? "decision waits" : "decisions wait"} for a person (${kinds.join(", ")}${late}): swarm inbox`,
  ];
}

function subjectText({ featureId, taskId, attempt }: Decision): string {
  if (taskId === null) return `feature ${featureId}`;
  return `task ${taskId}${attempt === null ? "" : `, attempt ${attempt}`}, of ${featureId}`;
}

function dueText(decision: Decision, now: number): string {
  const { dueAt } = decision;
  if (dueAt === null) return "no end";
  return isOverdue(decision, now) ? `overdue by ${spanText(now - dueAt)}` : `due in ${spanText(dueAt - now)}`;
}

function spanText(ms: number): string {
  const [size, unit] =
    ms >= 2 * DAY_MS ? [DAY_MS, "d"] : ms >= 2 * HOUR_MS ? [HOUR_MS, "h"] : [MINUTE_MS, "min"];
  return `${Math.round(ms / size)} ${unit}`;
}

function howToAnswer({ id, options }: Decision): string {
  const choices = options.map((option) => option.id).join("|");
  return `swarm decide ${id} ${choices === "" ? '--text "…"' : `${choices} [--text "…"]`}`;
}

function howToLook({ kind, taskId, attempt }: Decision): string[] {
  if (kind !== "landing" || taskId === null) return [];
  return [`swarm diff ${taskId}${attempt === null ? "" : ` --attempt ${attempt}`}`];
}

function endText({ state, outcome, endReason }: Decision): string[] {
  const decided =
    outcome === null
      ? []
      : [`  decided: ${oneLine([outcome.option, outcome.text].filter(Boolean).join(": "))}`];
  const why = endReason === null ? [] : [`  ${state}: ${oneLine(endReason)}`];
  return [...decided, ...why];
}
