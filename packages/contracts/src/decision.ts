import { z } from "zod";
import { clippedText } from "./bounded.ts";
import { idSchema } from "./ids.ts";
import { actorSchema, personRoleSchema, viaSchema } from "./person.ts";
import { repoIdSchema } from "./repo.ts";

/**
 * What a person is asked about.
 * - `landing`: an attempt is held. Options `approve` and `refuse`.
 * - `plan`: the tasks of a plan wait. Options `approve` and `refuse`, whose text is the reason of the next planning round.
 * - `question`: an agent asks, or is blocked. The agent's own options, or a text.
 * - `budget`: a feature's budget is used up. Options `raise`, whose text is the new cap in US dollars, and `cancel`.
 * - `review`: the agents of a feature asked too many questions. Options `continue`, `replan` and `cancel`.
 */
export const decisionKindSchema = z.enum(["landing", "plan", "question", "budget", "review"]);
export type DecisionKind = z.infer<typeof decisionKindSchema>;

export const decisionStateSchema = z.enum(["open", "answered", "timed-out", "withdrawn"]);
export type DecisionState = z.infer<typeof decisionStateSchema>;

/** The size of a decision, in characters. Longer text is cut. */
export const DECISION_LIMITS = {
  askChars: 10_000,
  options: 10,
  optionChars: 200,
  textChars: 4_000,
  answers: 20,
} as const;

export const decisionOptionSchema = z.object({
  id: z.string().regex(/^[a-z0-9-]{1,40}$/, "must match ^[a-z0-9-]{1,40}$"),
  label: clippedText(DECISION_LIMITS.optionChars),
});
export type DecisionOption = z.infer<typeof decisionOptionSchema>;

/** What the answer is about: a commit, or a hash of the plan. */
export const headSchema = z.string().regex(/^[0-9a-f]{40,64}$/, "must be 40 to 64 hex digits");

/** One person's answer. */
export const decisionAnswerSchema = z.object({
  id: idSchema.describe("Made by the api for every answer that is given"),
  by: actorSchema,
  via: viaSchema,
  role: personRoleSchema,
  option: clippedText(40).nullable().describe("An option's id; null for an answer in words only"),
  text: clippedText(DECISION_LIMITS.textChars).default(""),
  head: headSchema.nullable().describe("What this person looked at"),
  at: z.int().describe("Milliseconds since 1970, Redis time"),
});
export type DecisionAnswer = z.infer<typeof decisionAnswerSchema>;

/** Why an answer decided nothing. */
export const answerRefusalSchema = z.object({
  answerId: idSchema,
  by: actorSchema,
  code: z.enum(["decided-already", "head-changed", "not-allowed", "no-such-option"]),
  why: clippedText(1_000),
});
export type AnswerRefusal = z.infer<typeof answerRefusalSchema>;

/** Something that a person is asked. Written by the planner only, in its ledger. */
export const decisionSchema = z.object({
  id: idSchema.describe("Derived from what it is about"),
  kind: decisionKindSchema,
  repoId: repoIdSchema,
  featureId: idSchema,
  taskId: idSchema.nullable().describe("null: it is about the feature as a whole"),
  attempt: z.int().min(1).nullable(),
  head: headSchema.nullable().describe("An answer about another head decides nothing"),
  ask: clippedText(DECISION_LIMITS.askChars).describe("Markdown"),
  options: z.array(decisionOptionSchema).max(DECISION_LIMITS.options).describe("Empty: answered by a text"),
  default: clippedText(DECISION_LIMITS.textChars)
    .nullable()
    .describe("The option that a time-out takes, or a text where there are none"),
  askedAt: z.int().describe("Milliseconds since 1970, Redis time"),
  dueAt: z.int().nullable().describe("null: it waits without an end"),
  onTimeout: z.enum(["default", "hold", "refuse"]).describe("`hold`: it stays open, and is overdue"),
  needs: z.object({
    role: personRoleSchema,
    count: z.int().min(1).max(5).describe("Different persons who must agree"),
    notBy: z.array(actorSchema).max(20).describe("Who may not answer, such as who asked for the feature"),
  }),
  reminded: z
    .int()
    .min(0)
    .max(2)
    .default(0)
    .describe("1: at half of its time; 2: escalated, at three quarters"),
  state: decisionStateSchema,
  answers: z.array(decisionAnswerSchema).max(DECISION_LIMITS.answers).default([]),
  outcome: z
    .object({ option: clippedText(40).nullable(), text: clippedText(DECISION_LIMITS.textChars) })
    .nullable()
    .describe("What was decided; null while it is open, and when it was withdrawn"),
  endedAt: z.int().nullable(),
  endReason: clippedText(1_000).nullable().describe("Why it was withdrawn or timed out"),
});
export type Decision = z.infer<typeof decisionSchema>;

/** How a decision ended: who was faster, with which answer, and how long ago. `now`: milliseconds since 1970. */
export function describeEnd({ state, answers, outcome, endedAt, endReason }: Decision, now: number): string {
  if (state === "withdrawn") return `it was withdrawn: ${endReason ?? "what it was about is gone"}`;
  const earlier = `${Math.max(0, Math.round((now - (endedAt ?? now)) / 1_000))} s earlier`;
  const what = outcome?.option == null ? "" : ` \`${outcome.option}\``;
  if (state === "timed-out") return `its time ran out ${earlier}, and${what || " its default"} was taken`;
  const agreed = answers.filter(({ option }) => option === outcome?.option).map(({ by }) => by);
  return `${agreed.join(", ")} answered${what} ${earlier}`;
}
