import { z } from "zod";
import {
  decisionKindSchema,
  decisionSchema,
  decisionStateSchema,
  DECISION_LIMITS,
  type Decision,
} from "../decision.ts";
import { idSchema } from "../ids.ts";
import type { Route } from "./route.ts";

const params = z.object({ id: idSchema });

export const decisionQuerySchema = z.object({
  state: decisionStateSchema.default("open"),
  kind: decisionKindSchema.optional(),
  featureId: idSchema.optional().describe("Those about the feature and its tasks"),
  taskId: idSchema.optional(),
  mine: z
    .enum(["true", "false"])
    .default("false")
    .describe("true: only those that the asker may answer and has not answered"),
  limit: z.coerce.number<number | string>().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});
export type DecisionQuery = z.output<typeof decisionQuerySchema>;

export const decisionPageSchema = z.object({
  decisions: z.array(decisionSchema),
  cursor: z.string().nullable().describe("For the next page; null on the last one"),
});
export type DecisionPage = z.infer<typeof decisionPageSchema>;

/** The decision after an answer to it. */
export const answeredDecisionSchema = decisionSchema.extend({
  answerId: idSchema,
  counted: z
    .boolean()
    .describe("Whether the answer counts; false with 202: it is sent, and not known yet whether it does"),
});
export type AnsweredDecision = z.infer<typeof answeredDecisionSchema>;

/** An answer as a person gives it. */
export const answerInputSchema = z
  .object({
    option: z.string().max(40).optional().describe("The id of one of the decision's options"),
    text: z
      .string()
      .max(DECISION_LIMITS.textChars)
      .optional()
      .describe("The answer where there are no options; else why, or what the option asks for"),
  })
  .refine(({ option, text }) => option !== undefined || (text ?? "").trim() !== "", {
    error: "name an option, or give a text",
  });
export type AnswerInput = z.output<typeof answerInputSchema>;

/** Whether a decision is open longer than it should be. `now`: milliseconds since 1970. */
export function isOverdue({ state, dueAt }: Pick<Decision, "state" | "dueAt">, now: number): boolean {
  return state === "open" && dueAt !== null && dueAt < now;
}

export const DECISION_ROUTES = {
  listDecisions: {
    method: "GET",
    path: "/v1/decisions",
    tag: "decisions",
    summary:
      "What people are asked: open decisions, the one that is due first at the top; ended ones, newest first",
    needs: "viewer",
    repeatable: true,
    query: decisionQuerySchema,
    status: 200,
    type: "application/json",
    response: decisionPageSchema,
  },
  getDecision: {
    method: "GET",
    path: "/v1/decisions/:id",
    tag: "decisions",
    summary: "One decision; its head, if it has one, is the answer's ETag",
    needs: "viewer",
    repeatable: true,
    params,
    status: 200,
    type: "application/json",
    response: decisionSchema,
  },
  answerDecision: {
    method: "POST",
    path: "/v1/decisions/:id/answer",
    tag: "decisions",
    summary: "Answer a decision; 202 when it is not known within some seconds whether the answer counts",
    needs: "reviewer",
    // By its Idempotency-Key, which the client always sends.
    repeatable: true,
    params,
    headers: z.object({
      "if-match": z
        .string()
        .max(200)
        .optional()
        .describe("The head that was looked at, in double quotes; 428 without it, 412 for another one"),
      "idempotency-key": z.string().min(1).max(200).optional(),
    }),
    body: answerInputSchema,
    status: 200,
    pendingStatus: 202,
    type: "application/json",
    response: answeredDecisionSchema,
  },
} as const satisfies Record<string, Route>;
