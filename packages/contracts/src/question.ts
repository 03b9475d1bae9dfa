import { z } from "zod";
import { clippedText } from "./bounded.ts";
import { DECISION_LIMITS, decisionOptionSchema, type DecisionOption } from "./decision.ts";
import { idSchema, objectIdSchema, slug } from "./ids.ts";
import { actorSchema } from "./person.ts";

/** The size of an agent's question in characters, longer text is cut; and the number of questions. */
export const QUESTION_LIMITS = {
  questionChars: 4_000,
  whyChars: 2_000,
  defaultChars: 1_000,
  /** Further questions of an attempt are refused: its agent decides by itself. */
  perAttempt: 3,
  /** After this many questions of a feature its people are asked whether the plan is good (decision `review`). */
  perFeature: 10,
} as const;

/** What an agent asks by its tool `ask`, as it comes out of the sandbox. */
export const agentQuestionSchema = z.object({
  question: clippedText(QUESTION_LIMITS.questionChars).refine((text) => text.trim() !== "", "is empty"),
  options: z
    .array(clippedText(DECISION_LIMITS.optionChars))
    .max(DECISION_LIMITS.options)
    .default([])
    .describe("Answers to choose from; empty: answered in words"),
  default: clippedText(QUESTION_LIMITS.defaultChars)
    .nullish()
    .describe("What holds when nobody answers; one of the options if there are any"),
  why: clippedText(QUESTION_LIMITS.whyChars).default("").describe("What depends on the answer"),
});
export type AgentQuestion = z.infer<typeof agentQuestionSchema>;

/** A question as a decision has it. */
export const putQuestionSchema = z.object({
  ask: clippedText(DECISION_LIMITS.askChars).describe("Markdown"),
  options: z.array(decisionOptionSchema).max(DECISION_LIMITS.options),
  default: clippedText(DECISION_LIMITS.textChars)
    .nullable()
    .describe("An option's id, or a text where there are none"),
});
export type PutQuestion = z.infer<typeof putQuestionSchema>;

/** The answer of the sandbox's door to a question, which is held open until there is one. */
export const questionAnswerSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("answered"), text: clippedText(DECISION_LIMITS.askChars) }),
  z
    .object({ kind: z.literal("parked") })
    .describe("Nobody has answered yet: the attempt ends, its work is kept"),
  z.object({ kind: z.literal("refused"), why: clippedText(1_000) }),
]);
export type QuestionAnswer = z.infer<typeof questionAnswerSchema>;

/** A question of an earlier attempt, or of this one, with its answer. */
export const answeredQuestionSchema = z.object({
  decisionId: idSchema,
  question: clippedText(QUESTION_LIMITS.questionChars),
  answer: clippedText(DECISION_LIMITS.textChars),
  by: actorSchema.nullable().describe("null: nobody answered in time, so the default holds"),
});
export type AnsweredQuestion = z.infer<typeof answeredQuestionSchema>;

/** Who a note is by that answers a question with its default. */
export const NOBODY_ANSWERED = "time-out";

/** Number of answered questions that a task's next round knows; the newest. */
export const MAX_ANSWERS = 20;

/** Commits of an attempt that was parked: the next round goes on upon them. */
export const parkedWorkSchema = z.object({
  attempt: z.int().min(1),
  baseCommit: objectIdSchema,
  headCommit: objectIdSchema,
});
export type ParkedWork = z.infer<typeof parkedWorkSchema>;

/** The longest id of an option. */
const ID_CHARS = 40;

/** An agent's question as people are asked it. A default that is none of the options becomes one of them. */
export function putQuestion(asked: AgentQuestion): PutQuestion {
  const given = asked.default?.trim() ?? "";
  const labels = asked.options.map((label) => label.trim()).filter((label) => label !== "");
  const ask = asked.why.trim() === "" ? asked.question : `${asked.question}\n\nWhy it matters: ${asked.why}`;
  if (labels.length === 0) return { ask, options: [], default: given === "" ? null : given };
  if (given !== "" && !labels.includes(given)) labels.splice(DECISION_LIMITS.options - 1, 1, given);
  const options: DecisionOption[] = [];
  for (const [at, label] of [...new Set(labels)].entries()) {
    const number = `option-${at + 1}`;
    const id = slug(label, ID_CHARS, number);
    // Labels that differ in signs only have the same slug.
    options.push({ id: options.some((one) => one.id === id) ? number : id, label });
  }
  return { ask, options, default: options.find(({ label }) => label === given)?.id ?? null };
}

/** An answer as an agent reads it: the label of the chosen option, and the words beside it. */
export function answerText(
  { options }: Pick<PutQuestion, "options">,
  outcome: { readonly option: string | null; readonly text: string },
): string {
  const label = options.find(({ id }) => id === outcome.option)?.label ?? outcome.option ?? "";
  return [label, outcome.text.trim()].filter((part) => part !== "").join(": ");
}
