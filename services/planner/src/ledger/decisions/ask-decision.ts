import type { Decision, DecisionKind, PersonRole } from "@agentswarm/contracts";
import { decisionId } from "@agentswarm/contracts/node";
import { findRecord } from "../find-tasks.ts";
import type { Ledger } from "../ledger.ts";
import type { StepFacts } from "../step-facts.ts";
import { decisionsOf, isOpen, keepWith, withDecisions, withdrawn } from "./kept-decisions.ts";
import type { DecisionRules } from "./rules.ts";

/** What people are to be asked. */
export type Question = Pick<
  Decision,
  "kind" | "taskId" | "attempt" | "head" | "ask" | "options" | "default"
> & {
  /** Distinguishes what is asked about the same attempt, such as its questions, or about the same feature. */
  readonly nth: number;
  /** Absent: it is derived from the above. */
  readonly id?: string;
};

const ROLES: Record<DecisionKind, PersonRole> = {
  landing: "reviewer",
  plan: "reviewer",
  question: "reviewer",
  budget: "operator",
  review: "operator",
};

/**
 * Asks people something about a task, or with `taskId` null about the feature. Its id is derived, so that asking the same
 * twice asks once. At most one decision about a task is open: another one takes its place. Pure.
 */
export function askDecision(
  ledger: Ledger,
  { nth, id: own, ...question }: Question,
  { at, rules }: Pick<StepFacts, "at" | "rules">,
): Ledger {
  const { kind, taskId, attempt } = question;
  const { id: featureId, repoId, by } = ledger.feature;
  if (taskId !== null && findRecord(ledger, taskId) === undefined) return ledger;
  const id = own ?? decisionId(kind, featureId, taskId, attempt, nth);
  const known = decisionsOf(ledger, taskId);
  if (known.some((one) => one.id === id)) return ledger;
  const notBy = rules.fourEyes && by !== undefined && isReview(kind) ? [by] : [];
  const asked: Decision = {
    id,
    repoId,
    featureId,
    ...question,
    askedAt: at,
    dueAt: rules.waitMs === null ? null : at + rules.waitMs,
    onTimeout: onTimeout(question, rules),
    needs: { role: ROLES[kind], count: kind === "landing" ? rules.approvals : 1, notBy },
    reminded: 0,
    state: "open",
    answers: [],
    outcome: null,
    endedAt: null,
    endReason: null,
  };
  const others = taskId === null ? known : known.map((one) => (isOpen(one) ? replaced(one, at) : one));
  return withDecisions(ledger, taskId, keepWith(others, asked));
}

function isReview(kind: DecisionKind): boolean {
  return kind === "landing" || kind === "plan";
}

function onTimeout(
  { kind, default: fallback }: Omit<Question, "nth" | "id">,
  rules: DecisionRules,
): Decision["onTimeout"] {
  if (isReview(kind)) return rules.onTimeout;
  return kind === "question" && fallback !== null ? "default" : "hold";
}

function replaced(decision: Decision, at: number): Decision {
  return withdrawn(decision, "another question about the task took its place", at);
}
