import {
  describeEnd,
  includesRole,
  type Decision,
  type DecisionAnswer,
  type EventData,
  type EventToSend,
} from "@agentswarm/contracts";
import type { Ledger } from "../ledger.ts";
import type { StepFacts } from "../step-facts.ts";
import { applyOutcome } from "./apply-outcome.ts";
import { capOf, usedUpCap } from "./budget-cap.ts";
import { decisionsOf, isOpen, replaceDecision } from "./kept-decisions.ts";

/** Which decision an answer is for: about a task, or with null about the feature. */
export interface AnsweredDecision {
  readonly decisionId: string;
  readonly taskId: string | null;
}

type Refusal = Pick<EventData<"answer.refused">, "code" | "why">;

/**
 * Takes one person's answer. The first valid one decides, or the one with which enough persons agree; any other is refused
 * with an `answer.refused` that says why, and who was faster. The same answer twice counts once. Pure.
 */
export function answerDecision(
  ledger: Ledger,
  { decisionId, taskId }: AnsweredDecision,
  given: Omit<DecisionAnswer, "at">,
  facts: StepFacts,
): Ledger {
  const decision = decisionsOf(ledger, taskId).find(({ id }) => id === decisionId);
  if (decision?.answers.some(({ id }) => id === given.id)) return ledger;
  const refusal =
    decision === undefined ? unknown(decisionId) : whyRefused(ledger, decision, given, facts.at);
  if (decision === undefined || refusal !== null) return refuse(ledger, decisionId, given, refusal);
  const answers = [...decision.answers, { ...given, at: facts.at }];
  const agreeing = answers.filter(({ option }) => option === given.option);
  // What only holds work back needs one person.
  const needed = given.option === "refuse" ? 1 : decision.needs.count;
  if (agreeing.length < needed) return replaceDecision(ledger, { ...decision, answers });
  const { option, text } = given;
  const decided: Decision = {
    ...decision,
    answers,
    state: "answered",
    outcome: { option, text },
    endedAt: facts.at,
    endReason: null,
  };
  const by = agreeing.map((one) => one.by).join(", ");
  return applyOutcome(replaceDecision(ledger, decided), decided, { by, option, text }, facts);
}

function unknown(decisionId: string): Refusal {
  return { code: "decided-already", why: `${decisionId} is not open: it ended long ago, or never was` };
}

/** Null: the answer is valid. */
function whyRefused(
  ledger: Ledger,
  decision: Decision,
  given: Omit<DecisionAnswer, "at">,
  at: number,
): Refusal | null {
  const { head, options, needs, answers } = decision;
  if (!isOpen(decision)) return { code: "decided-already", why: describeEnd(decision, at) };
  if (!includesRole(given.role, needs.role)) {
    const why = `${given.by} is ${given.role}; this decision needs the role ${needs.role}`;
    return { code: "not-allowed", why };
  }
  if (needs.notBy.includes(given.by)) {
    const why = `${given.by} asked for the feature, so another person must decide (FOUR_EYES=on)`;
    return { code: "not-allowed", why };
  }
  if (head !== null && given.head !== head) {
    const seen = given.head === null ? "names no head" : `is about ${given.head.slice(0, 12)}`;
    const why = `the answer of ${given.by} ${seen}, but ${head.slice(0, 12)} waits: look at it and decide again`;
    return { code: "head-changed", why };
  }
  if (answers.some(({ by }) => by === given.by)) {
    const why = `${given.by} has answered already; ${needs.count} different persons must agree`;
    return { code: "not-allowed", why };
  }
  if (!isPossible(decision, given)) {
    const what = options.map(({ id }) => id).join(", ") || "a text";
    const said = given.option === null ? "no option" : `\`${given.option}\``;
    return { code: "no-such-option", why: `${said} is no answer to ${decision.id}: give ${what}` };
  }
  return whyNoCap(ledger, decision, given);
}

/** A question of an agent may be answered in words, although it has options. */
function isPossible({ kind, options }: Decision, { option, text }: Omit<DecisionAnswer, "at">): boolean {
  if (option !== null) return options.some(({ id }) => id === option);
  return text.trim() !== "" && (options.length === 0 || kind === "question");
}

/** A budget is raised only by a higher cap of what is used up. */
function whyNoCap(
  { costUsd, tokens }: Ledger,
  { kind, ask }: Decision,
  { option, text }: Omit<DecisionAnswer, "at">,
): Refusal | null {
  const usedUp = kind === "budget" && option === "raise" ? usedUpCap(ask) : null;
  if (usedUp === null) return null;
  const { unit, cap } = usedUp;
  const [name, spent] = unit === "usd" ? ["US dollars", costUsd.toFixed(2)] : ["tokens", String(tokens)];
  const least = Math.max(cap, unit === "usd" ? costUsd : tokens);
  if ((capOf(text)?.[unit] ?? 0) > least) return null;
  const example = unit === "usd" ? "20" : "5000000 tokens";
  const why = `"${text.slice(0, 100)}" is no cap above ${cap} ${name} (${spent} are spent): give one as in "${example}"`;
  return { code: "no-such-option", why };
}

function refuse(
  ledger: Ledger,
  decisionId: string,
  { id: answerId, by }: Omit<DecisionAnswer, "at">,
  refusal: Refusal | null,
): Ledger {
  if (refusal === null) return ledger;
  const { id: featureId, repoId } = ledger.feature;
  const event: EventToSend = {
    id: `answer-refused-${decisionId}-${answerId}`,
    type: "answer.refused",
    repoId,
    featureId,
    data: { decisionId, answerId, by, ...refusal },
  };
  return { ...ledger, pending: [...ledger.pending, { kind: "emit", event }] };
}
