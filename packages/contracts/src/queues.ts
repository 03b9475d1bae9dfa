import { z } from "zod";
import { clippedText } from "./bounded.ts";
import { decisionAnswerSchema } from "./decision.ts";
import { budgetSchema } from "./budget.ts";
import { domainEventSchema } from "./events/index.ts";
import { liftEvent } from "./events/lift-event.ts";
import { featureSubmissionSchema } from "./feature.ts";
import { handoffSchema } from "./handoff.ts";
import { idSchema, objectIdSchema } from "./ids.ts";
import { mergeOutcomeSchema, mergeRequestSchema } from "./merge.ts";
import { MAX_NOTES, noteSchema } from "./note.ts";
import { pauseScopeSchema } from "./pause.ts";
import { actorSchema, askedBy } from "./person.ts";
import { sweepRequestSchema, sweepSchema } from "./sweep.ts";
import { answeredQuestionSchema, MAX_ANSWERS, parkedWorkSchema, putQuestionSchema } from "./question.ts";
import { taskSchema } from "./task.ts";

/**
 * The version of every message body below. A consumer reads its own version and older ones, and puts newer ones back
 * for a consumer that knows them. Version 2 (2026-11) added `repoId`, typed the events and renamed
 * `message.buried`.
 */
export const SCHEMA_VERSION = 2;

const whySchema = z.string().max(2_000).default("");

/** The body of a `plan` message: submissions, commands of people, and feedback from the other services. */
export const planMessageSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("feature"), feature: featureSubmissionSchema }),
  z.object({ kind: z.literal("cancel"), featureId: idSchema, why: whySchema, ...askedBy }),
  z.object({ kind: z.literal("cancel-task"), taskId: idSchema, why: whySchema, ...askedBy }),
  z.object({ kind: z.literal("budget"), featureId: idSchema, budget: budgetSchema, ...askedBy }),
  z.object({ kind: z.literal("retry"), taskId: idSchema, ...askedBy }),
  z.object({ kind: z.literal("retry-feature"), featureId: idSchema, ...askedBy }),
  z.object({ kind: z.literal("revert"), featureId: idSchema, why: whySchema, ...askedBy }),
  z.object({
    kind: z.literal("pause"),
    scope: pauseScopeSchema,
    paused: z.boolean().describe("false: it is resumed"),
    why: whySchema,
    ...askedBy,
  }),
  z.object({
    kind: z.literal("note"),
    featureId: idSchema,
    taskId: idSchema.nullable().describe("null: to all tasks of the feature"),
    note: noteSchema,
  }),
  z.object({
    kind: z.literal("question"),
    featureId: idSchema,
    taskId: idSchema,
    attempt: z.int().min(1),
    round: z.int().min(1),
    nth: z.int().min(1).describe("Of the attempt's questions"),
    ...putQuestionSchema.shape,
  }),
  z.object({
    kind: z.literal("answer"),
    featureId: idSchema,
    decisionId: idSchema,
    answer: decisionAnswerSchema.omit({ at: true }),
  }),
  z.object({ kind: z.literal("due"), featureId: idSchema, decisionId: idSchema }),
  z.object({
    kind: z.literal("approve"),
    taskId: idSchema,
    decision: z.enum(["approve", "refuse"]),
    head: objectIdSchema.optional().describe("The held commit that the person saw; for no other it holds"),
    reason: z.string().max(2_000).optional(),
    ...askedBy,
  }),
  z.object({
    kind: z.literal("handoff"),
    featureId: idSchema,
    handoff: handoffSchema,
    outcome: mergeOutcomeSchema.nullable().describe("null when the attempt had no commits to land"),
  }),
  z.object({ kind: z.literal("swept"), sweep: sweepSchema }),
  z.object({ kind: z.literal("audit") }),
]);
export type PlanMessage = z.infer<typeof planMessageSchema>;

/** A held attempt that a person approved. The dispatcher sends it to the merger without running an agent. */
export const approvedAttemptSchema = z.object({
  by: actorSchema,
  attempt: z.int().min(1),
  baseCommit: objectIdSchema,
  head: objectIdSchema.optional().describe("The commit that was approved"),
  handoff: handoffSchema,
});

/** The body of a `task` message: one round of a task. */
export const taskMessageSchema = z.object({
  task: taskSchema,
  round: z.int().min(1),
  approved: approvedAttemptSchema.optional(),
  notes: z
    .array(noteSchema)
    .max(MAX_NOTES * 2)
    .optional()
    .describe("What people said that its agent must know"),
  upon: parkedWorkSchema.optional(),
  answers: z
    .array(answeredQuestionSchema)
    .max(MAX_ANSWERS)
    .optional()
    .describe("Questions of its earlier attempts that are answered, or whose default holds"),
});
export type TaskMessage = z.infer<typeof taskMessageSchema>;

/**
 * A signal to the handler of a running job, over BullMQ's event stream. The ledger has it too: a signal only makes it
 * sooner.
 */
export const jobSignalSchema = z.object({
  notes: z
    .array(noteSchema)
    .min(1)
    .max(MAX_NOTES * 2),
});
export type JobSignal = z.infer<typeof jobSignalSchema>;

/** The only list of queues: name → schema of the body it carries. */
export const QUEUES = {
  plan: planMessageSchema,
  task: taskMessageSchema,
  merge: mergeRequestSchema,
  sweep: sweepRequestSchema,
  event: domainEventSchema,
} as const;
export type QueueName = keyof typeof QUEUES;
export type MessageOf<Q extends QueueName> = z.infer<(typeof QUEUES)[Q]>;
/** A message as its sender writes it: fields that have a default may be left out. */
export type MessageToSend<Q extends QueueName> = z.input<(typeof QUEUES)[Q]>;
export const QUEUE_NAMES = Object.keys(QUEUES) as QueueName[];

/** The envelope of every message body. */
export const envelopeSchema = z.object({
  schemaVersion: z.int().min(1),
  sentAt: z.int().describe("Milliseconds since 1970, Redis time"),
  trace: clippedText(200).describe("W3C traceparent"),
  body: z.unknown(),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/**
 * Parses a body of this schema version or an older one. Fields that version 1 lacks have defaults in the schemas
 * (`repoId`); renamed ones are lifted here.
 */
export function readBody<Q extends QueueName>(
  queue: Q,
  schemaVersion: number,
  body: unknown,
): z.ZodSafeParseResult<MessageOf<Q>> {
  const lifted = schemaVersion < 2 && queue === "event" ? liftEvent(body) : body;
  return QUEUES[queue].safeParse(lifted) as z.ZodSafeParseResult<MessageOf<Q>>;
}
