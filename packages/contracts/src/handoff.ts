import { z } from "zod";
import { clippedList, clippedText, pathText, tailText } from "./bounded.ts";
import { idSchema, objectIdSchema } from "./ids.ts";
import { heardNoteSchema, MAX_NOTES } from "./note.ts";
import { putQuestionSchema } from "./question.ts";

/**
 * The size of a handoff, field by field, in characters. Longer text is cut, never refused, so that no work is lost and
 * documents of earlier versions can be read. It is cut wherever a document is parsed: by the runner before it sends its
 * result, by the dispatcher when it takes the result, and by the queue before it stores a message.
 */
export const HANDOFF_LIMITS = {
  summaryChars: 10_000,
  reasonChars: 10_000,
  /** For each of did, deviations, concerns and suggestions. */
  notes: 20,
  noteChars: 1_000,
  checks: 50,
  checkCommandChars: 300,
  /** Of one check. */
  outputTailChars: 8_000,
  /** Of all checks together. */
  outputChars: 32_000,
  files: 1_000,
  /** Of all paths together. */
  filesChars: 16_000,
} as const;

export const attemptEndSchema = z.enum([
  "submitted",
  "limit-reached",
  "stuck",
  "failed",
  "resource",
  "lost",
  "cancelled",
  "budget",
  "parked",
]);
export type AttemptEnd = z.infer<typeof attemptEndSchema>;

/**
 * Ends that use up the task's attempt budget. The other ends are caused by the infrastructure or by a person; after
 * `budget` the task waits until the budget of the swarm or the feature is raised, after `parked` until a question of its
 * agent is answered.
 */
export const COUNTED_ENDS: ReadonlySet<AttemptEnd> = new Set(["failed", "stuck", "limit-reached"]);

/** The result of one run of one check. */
export const checkResultSchema = z.object({
  name: clippedText(100).optional(),
  command: clippedText(HANDOFF_LIMITS.checkCommandChars),
  exitCode: z.int().describe("-1 when the check was killed at its time limit"),
  durationMs: z.number().min(0),
  outputTail: tailText(HANDOFF_LIMITS.outputTailChars).describe("The end of stdout and stderr together"),
});
export type CheckResult = z.infer<typeof checkResultSchema>;

/** The results of all checks; failed ones come first when there are too many, and they share the room for output. */
const checkResultsSchema = z.array(checkResultSchema).overwrite((results) => {
  const { checks, outputChars } = HANDOFF_LIMITS;
  const kept =
    results.length <= checks
      ? results
      : results.toSorted((a, b) => Number(a.exitCode === 0) - Number(b.exitCode === 0)).slice(0, checks);
  const share = Math.floor(outputChars / Math.max(1, kept.length));
  return kept.map((result) => ({ ...result, outputTail: result.outputTail.slice(-share) }));
});

export const metricsSchema = z.object({
  linesAdded: z.int().min(0),
  linesRemoved: z.int().min(0),
  filesCreated: z.int().min(0),
  filesModified: z.int().min(0),
  tokensIn: z.int().min(0),
  tokensOut: z.int().min(0),
  tokensCached: z.int().min(0),
  costUsd: z.number().min(0).describe("Metered by the gateway, never by the sandbox; US dollars"),
  toolCalls: z.int().min(0),
  turns: z.int().min(0),
  durationMs: z.number().min(0),
});
export type Metrics = z.infer<typeof metricsSchema>;

export const NO_METRICS: Metrics = {
  linesAdded: 0,
  linesRemoved: 0,
  filesCreated: 0,
  filesModified: 0,
  tokensIn: 0,
  tokensOut: 0,
  tokensCached: 0,
  costUsd: 0,
  toolCalls: 0,
  turns: 0,
  durationMs: 0,
};

export const handoffOutcomeSchema = z.enum(["complete", "partial", "blocked", "failed"]);

const notesSchema = clippedList(clippedText(HANDOFF_LIMITS.noteChars), { maxItems: HANDOFF_LIMITS.notes });

/** The agent's claim through its `submit` tool, kept apart from measured values. */
export const agentClaimSchema = z.object({
  outcome: handoffOutcomeSchema.default("complete"),
  summary: clippedText(HANDOFF_LIMITS.summaryChars),
  did: notesSchema.default([]),
  deviations: notesSchema.default([]),
  concerns: notesSchema.default([]),
  suggestions: notesSchema.default([]),
});
export type AgentClaim = z.infer<typeof agentClaimSchema>;

/** The result that the runner sends through the door. Untrusted until the dispatcher has validated it. */
export const agentResultSchema = agentClaimSchema.extend({
  end: attemptEndSchema,
  reason: clippedText(HANDOFF_LIMITS.reasonChars).optional(),
  filesChanged: clippedList(pathText(), {
    maxItems: HANDOFF_LIMITS.files,
    maxChars: HANDOFF_LIMITS.filesChars,
  })
    .default([])
    .describe("The first of them; `metrics` has their numbers"),
  checks: checkResultsSchema.default([]),
  metrics: metricsSchema,
  headCommit: objectIdSchema.nullable().describe("null when nothing was committed"),
  heard: z
    .array(heardNoteSchema)
    .max(MAX_NOTES * 2)
    .optional()
    .describe("Notes that its model was sent"),
});
export type AgentResult = z.infer<typeof agentResultSchema>;

/** The report of an attempt to the planner: the agent's claim, completed with measured values by the dispatcher. */
export const handoffSchema = agentResultSchema.extend({
  taskId: idSchema,
  attempt: z.int().min(1),
  round: z.int().min(1),
  model: clippedText(200).default("unknown").describe("The model that answered, as the gateway recorded it"),
  waitsFor: z
    .object({
      baseCommit: objectIdSchema.describe("What `headCommit` is based on"),
      question: putQuestionSchema.nullable().describe("null: blocked, for the reason in the summary"),
    })
    .optional()
    .describe("Only when its agent waits for an answer: parked or blocked"),
});
export type Handoff = z.infer<typeof handoffSchema>;

/** The lists of a handoff that has nothing to list. */
export const NO_NOTES = {
  did: [],
  deviations: [],
  concerns: [],
  suggestions: [],
  filesChanged: [],
  checks: [],
} satisfies Partial<Handoff>;
