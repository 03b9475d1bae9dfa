import type { Decision } from "@agentswarm/contracts";
import type { Ledger } from "../ledger.ts";
import type { StepFacts } from "../step-facts.ts";
import type { AnsweredDecision } from "./answer-decision.ts";
import { applyOutcome } from "./apply-outcome.ts";
import { decisionsOf, replaceDecision } from "./kept-decisions.ts";
import { whenDue } from "./when-due.ts";

/**
 * Does what is due about a decision: the reminder at half of its time, the escalation at three quarters, and its end, in
 * which its default or a refusal is taken or it stays open and is overdue. Before its time it changes nothing. Pure.
 */
export function remindOrEnd(
  ledger: Ledger,
  { decisionId, taskId }: AnsweredDecision,
  facts: StepFacts,
): Ledger {
  const decision = decisionsOf(ledger, taskId).find(({ id }) => id === decisionId);
  const due = decision === undefined ? null : whenDue(decision);
  if (decision === undefined || due === null || due > facts.at) return ledger;
  // After an outage of hours the reminder and the escalation may both be late: only the newest is emitted.
  const later = { ...decision, reminded: decision.reminded + 1 };
  if (decision.reminded >= 2) return end(ledger, decision, facts);
  const next = whenDue(later);
  const reminded = replaceDecision(ledger, later);
  return next !== null && next <= facts.at ? remindOrEnd(reminded, { decisionId, taskId }, facts) : reminded;
}

function end(ledger: Ledger, decision: Decision, facts: StepFacts): Ledger {
  const { onTimeout, askedAt, dueAt } = decision;
  const why = `nobody answered within ${duration((dueAt ?? facts.at) - askedAt)}`;
  const outcome = onTimeout === "refuse" ? refusalOf(decision, why) : defaultOf(decision);
  if (onTimeout === "hold" || outcome === null)
    return replaceDecision(ledger, { ...decision, endReason: `${why}; it still waits` });
  const endReason = onTimeout === "refuse" ? `${why}: refused` : `${why}: the default was taken`;
  const ended: Decision = { ...decision, state: "timed-out", outcome, endedAt: facts.at, endReason };
  return applyOutcome(replaceDecision(ledger, ended), ended, { by: null, ...outcome }, facts);
}

function refusalOf({ options }: Decision, text: string): Decision["outcome"] {
  const option = options.find(({ id }) => id === "refuse" || id === "cancel");
  return option === undefined ? null : { option: option.id, text };
}

function defaultOf({ default: fallback, options }: Decision): Decision["outcome"] {
  if (fallback === null) return null;
  return options.some(({ id }) => id === fallback)
    ? { option: fallback, text: "" }
    : { option: null, text: fallback };
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** Example: `3 days`. */
function duration(ms: number): string {
  const [unit, size] = UNITS.find(([, one]) => ms >= one && ms % one === 0) ?? UNITS[3];
  const count = Math.round(ms / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
