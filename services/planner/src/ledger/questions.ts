import {
  answerText,
  DECISION_LIMITS,
  MAX_ANSWERS,
  NOBODY_ANSWERED,
  NOTE_CHARS,
  QUESTION_LIMITS,
  type AnsweredQuestion,
  type Decision,
  type Handoff,
  type Note,
  type PlanMessage,
  type PutQuestion,
} from "@agentswarm/contracts";
import { decisionId, questionIdOf } from "@agentswarm/contracts/node";
import { askDecision } from "./decisions/ask-decision.ts";
import type { Decided } from "./decisions/decided.ts";
import { openOne } from "./decisions/kept-decisions.ts";
import { waitsForAnswer } from "./decide-retry.ts";
import { findRecord } from "./find-tasks.ts";
import { hasEnded, withRecord, type Ledger } from "./ledger.ts";
import type { StepFacts } from "./step-facts.ts";
import { isUnderWay, type GivenAnswer, type TaskRecord } from "./task-record.ts";

/**
 * Questions of agents. An agent waits a short time for the answer, which reaches it as a note. Then its attempt is parked:
 * the task is held without a sandbox, and the answer opens its next round upon the work so far. An attempt that ends as
 * blocked is parked with a question at once.
 */

type Asked = Extract<PlanMessage, { kind: "question" }>;

/** Distinguishes a blocked attempt's question from the others of the attempt. */
const BLOCKED_NTH = QUESTION_LIMITS.perAttempt + 1;
const REASON_CHARS = 1_000;

/**
 * Puts the question of an agent that waits to people. One that an attempt of this round asked before is not put again: the
 * audit repeats its answer. Pure.
 */
export function absorbQuestion(ledger: Ledger, asked: Asked, facts: StepFacts): Ledger {
  const { taskId, attempt, nth } = asked;
  const record = findRecord(ledger, taskId);
  if (record === undefined || hasEnded(ledger) || !isUnderWay(record) || asked.round !== record.round)
    return ledger;
  const id = questionIdOf(taskId, record.round, asked.ask);
  if (record.answers.some(({ decisionId: known }) => known === id)) return ledger;
  if (ledger.questions >= QUESTION_LIMITS.perFeature && !record.decisions.some((one) => one.id === id)) {
    const refusal = { decisionId: id, question: asked.ask, answer: DECIDE_YOURSELF, by: "swarm" } as const;
    return give(askForReview(ledger, facts), record, { ...refusal, at: facts.at });
  }
  return put(ledger, record, asked, { attempt, nth }, facts);
}

/** Parks the task of an attempt that ended with an open question, or sends it again when the answer is there. Pure. */
export function awaitAnswer(ledger: Ledger, record: TaskRecord, handoff: Handoff): Ledger {
  const { task, round } = record;
  const { headCommit, attempt, waitsFor } = handoff;
  const parked =
    headCommit === null || waitsFor === undefined
      ? record.parked
      : { attempt, baseCommit: waitsFor.baseCommit, headCommit };
  const { ask } = questionOf(handoff);
  const id = questionIdOf(task.id, round, ask);
  if (record.answers.some(({ decisionId: known }) => known === id))
    return withRecord(ledger, task.id, { status: "planned", parked, reason: null });
  const reason = `waits for an answer: ${ask}`.slice(0, REASON_CHARS);
  return withRecord(ledger, task.id, { status: "held", parked, reason });
}

/** Asks people about a task whose attempt waits for an answer, unless they are asked already. Pure. */
export function askAboutWaiting(ledger: Ledger, taskId: string, facts: StepFacts): Ledger {
  const record = findRecord(ledger, taskId);
  const { lastHandoff = null, lastOutcome = null, decisions = [] } = record ?? {};
  if (record === undefined || lastHandoff === null || lastOutcome !== null) return ledger;
  if (!waitsForAnswer(lastHandoff) || openOne(decisions) !== undefined) return ledger;
  const { attempt } = lastHandoff;
  return put(ledger, record, questionOf(lastHandoff), { attempt, nth: BLOCKED_NTH }, facts);
}

/** Gives an agent the answer to its question: by a signal while it waits, else by the task's next round. Pure. */
export function applyAnswer(ledger: Ledger, decision: Decision, decided: Decided, at: number): Ledger {
  const record = decision.taskId === null ? undefined : findRecord(ledger, decision.taskId);
  if (record === undefined) return ledger;
  const { id: decisionId, ask: question } = decision;
  const answer = answerText(decision, decided);
  const remembered = remember(ledger, { decisionId, question, answer, by: decided.by });
  const given = give(remembered, record, { decisionId, question, answer, by: decided.by, at });
  if (record.status !== "held") return given;
  // Settling sends it, as soon as nothing else holds it back.
  return withRecord(given, record.task.id, { status: "planned", reason: null });
}

/** Keeps what a person answered for all tasks of the feature: one that takes the place of another need not ask again. */
function remember(ledger: Ledger, answered: AnsweredQuestion): Ledger {
  if (answered.by === null) return ledger;
  return { ...ledger, answers: [...ledger.answers, answered].slice(-MAX_ANSWERS) };
}

/** The answers that the next round of a task knows: those to its own questions, and what people answered other tasks. */
export function answersFor(
  ledger: Pick<Ledger, "answers">,
  { answers: own }: Pick<TaskRecord, "answers">,
): AnsweredQuestion[] {
  const known = new Set(own.map(({ decisionId: id }) => id));
  const others = ledger.answers.filter(({ decisionId: id }) => !known.has(id));
  return [...others, ...own].slice(-MAX_ANSWERS);
}

/** The answers that were given in the current round, as notes to its agent. */
export function answerNotes({ answers, round }: Pick<TaskRecord, "answers" | "round">): Note[] {
  return answers.flatMap((given) => (given.round === round ? [noteOf(given)] : []));
}

function noteOf({ decisionId, question, answer, by, at }: GivenAnswer): Note {
  const who = by === null ? "Nobody answered in time, so your default holds" : `${by} answered`;
  return {
    id: `answer-${decisionId}`,
    by: by ?? NOBODY_ANSWERED,
    via: "system",
    at,
    text: `Your question: ${question.slice(0, NOTE_CHARS / 4)}\n\n${who}: ${answer}`.slice(0, NOTE_CHARS),
    mode: "steer",
    answers: decisionId,
  };
}

/** The question of an attempt that waits. */
function questionOf({ waitsFor, summary, reason }: Handoff): PutQuestion {
  if (waitsFor?.question != null) return waitsFor.question;
  const why = summary || reason || "it gave no reason";
  const ask = `The agent cannot go on: ${why}`.slice(0, DECISION_LIMITS.askChars);
  return { ask, options: [], default: null };
}

function put(
  ledger: Ledger,
  { task, round, decisions }: TaskRecord,
  { ask, options, default: fallback }: PutQuestion,
  { attempt, nth }: { readonly attempt: number; readonly nth: number },
  facts: StepFacts,
): Ledger {
  const id = questionIdOf(task.id, round, ask);
  const known = decisions.find((one) => one.id === id);
  // One that another question took the place of is asked anew.
  const again = known !== undefined && known.state !== "open";
  const { feature } = ledger;
  const nthOfAll = nth + (BLOCKED_NTH + 1) * decisions.length;
  const asked = askDecision(
    ledger,
    {
      kind: "question",
      taskId: task.id,
      attempt,
      nth,
      head: null,
      ask,
      options,
      default: fallback,
      id: again ? decisionId("question", feature.id, task.id, attempt, nthOfAll) : id,
    },
    facts,
  );
  return asked === ledger ? ledger : { ...asked, questions: asked.questions + 1 };
}

const REVIEW_OPTIONS = [
  { id: "continue", label: `go on, and put up to ${QUESTION_LIMITS.perFeature} more questions to people` },
  { id: "replan", label: "plan again, with your text as the reason" },
  { id: "cancel", label: "cancel the feature" },
];

/** So many questions mean that the plan says too little. */
function askForReview(ledger: Ledger, facts: StepFacts): Ledger {
  if (openOne(ledger.decisions, "review") !== undefined) return ledger;
  const ask = `The agents of this feature have asked ${ledger.questions} questions. Is its plan good enough? Until you decide, its agents are told to decide by themselves.`;
  const review = {
    kind: "review",
    taskId: null,
    attempt: null,
    nth: facts.version,
    head: null,
    ask,
  } as const;
  return askDecision(ledger, { ...review, options: REVIEW_OPTIONS, default: null }, facts);
}

const DECIDE_YOURSELF =
  "Nobody is asked: the agents of this feature have asked too many questions. Decide by yourself, and say in your deviations what you decided and why.";

function give(
  ledger: Ledger,
  { task, round, answers }: TaskRecord,
  given: Omit<GivenAnswer, "round">,
): Ledger {
  return withRecord(ledger, task.id, { answers: [...answers, { ...given, round }].slice(-MAX_ANSWERS) });
}
