import { z } from "zod";
import { clippedList, clippedText, pathText, tailText } from "./bounded.ts";
import { checkResultSchema, HANDOFF_LIMITS } from "./handoff.ts";
import { objectIdSchema } from "./ids.ts";
import { repoIdSchema } from "./repo.ts";

/** For the checks and for the failures of one sweep. */
const SWEEP_LIMITS = { maxItems: 200, maxChars: 1_000_000 } as const;

export const sweepReasonSchema = z.enum(["schedule", "nudge", "last-task", "manual"]);

/** The body of a `sweep` message. */
export const sweepRequestSchema = z.object({ why: sweepReasonSchema, repoId: repoIdSchema });
export type SweepRequest = z.infer<typeof sweepRequestSchema>;

/** One distinct failure of the trunk. Code computes the signature, never the model. */
export const failureSchema = z.object({
  signature: z
    .string()
    .regex(/^[a-z0-9]{10}$/)
    .describe("Hash of check, file and normalised error"),
  check: clippedText(4_000),
  files: clippedList(pathText(), { maxItems: 1_000, maxChars: 16_000 }),
  outputTail: tailText(HANDOFF_LIMITS.outputTailChars),
});
export type Failure = z.infer<typeof failureSchema>;

/** A fix task for one failure, drafted by the model or from a template. */
export const fixDraftSchema = z.object({
  signature: clippedText(100),
  title: z.string().min(1).max(200),
  description: z.string().max(20_000),
  scope: z.array(pathText()).max(200).default([]),
});
export type FixDraft = z.infer<typeof fixDraftSchema>;

/** The result of one reconciler pass over the trunk's head. */
export const sweepSchema = z.object({
  why: sweepReasonSchema,
  repoId: repoIdSchema,
  head: objectIdSchema,
  tree: objectIdSchema,
  checksHash: clippedText(100).describe("Hash of the check list; with the tree it identifies the result"),
  checks: clippedList(checkResultSchema, SWEEP_LIMITS),
  outcome: z
    .enum(["green", "red", "error", "unchecked"])
    .describe("`unchecked`: the target has no checks, so green does not move"),
  reason: clippedText(10_000)
    .optional()
    .describe("Why the sweep could not run, the trunk is held or is not checked"),
  green: objectIdSchema
    .nullable()
    .describe("The commit of refs/heads/green after the sweep; null: none, or the trunk's history lacks it"),
  failures: clippedList(failureSchema, SWEEP_LIMITS),
  drafts: z.array(fixDraftSchema).max(5),
});
export type Sweep = z.infer<typeof sweepSchema>;
