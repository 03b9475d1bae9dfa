import { z } from "zod";
import { clippedList, clippedText, pathText, tailText } from "./bounded.ts";
import { HANDOFF_LIMITS, handoffSchema } from "./handoff.ts";
import { idSchema, objectIdSchema } from "./ids.ts";
import { MAX_ANSWERS } from "./question.ts";
import { repoIdSchema } from "./repo.ts";
import { taskKindSchema } from "./task.ts";

/**
 * Which landings wait for a person, beside those that are held in every mode (protected paths, dependencies, emptied
 * tests, secrets). `trunk`: none. `hold`: all. `policy`: those that `review` in the trunk's swarm.json names.
 */
export const LANDING_MODES = ["trunk", "hold", "policy"] as const;
export type LandingMode = (typeof LANDING_MODES)[number];

/** An attempt with commits for the merger to land. Sent by the dispatcher. */
export const mergeRequestSchema = z.object({
  taskId: idSchema,
  featureId: idSchema,
  repoId: repoIdSchema,
  attempt: z.int().min(1),
  ref: clippedText(300).describe("refs/swarm/<taskId>/<attempt> in the store"),
  baseCommit: objectIdSchema,
  headCommit: objectIdSchema,
  title: clippedText(200),
  kind: taskKindSchema.optional().describe("The task's; absent in messages of version 0.2"),
  approvedBy: clippedText(200).optional().describe("The person who approved it"),
  approvedHead: objectIdSchema.optional().describe("The commit that was approved; no other lands by it"),
  byDefault: z
    .array(clippedText(1_000))
    .max(MAX_ANSWERS)
    .optional()
    .describe(
      "Questions that nobody answered in time, each with the default that holds; said in the landing",
    ),
  handoff: handoffSchema,
});
export type MergeRequest = z.infer<typeof mergeRequestSchema>;

export const conflictPathSchema = z.object({
  path: pathText(),
  base: objectIdSchema.nullable().describe("Blob id; null when the side has no such file"),
  ours: objectIdSchema.nullable().describe("The trunk's"),
  theirs: objectIdSchema.nullable().describe("The attempt's"),
});
export type ConflictPath = z.infer<typeof conflictPathSchema>;

/** Number of conflicts after which a file counts as hot: it should be split, or its tasks ordered. */
export const HOT_AFTER = 5;

/** The size of an outcome, field by field, in characters. Longer text is cut. */
const OUTCOME_LIMITS = {
  whyChars: 4_000,
  checkChars: 4_000,
  /** Conflicting paths, with their blob ids. */
  paths: 1_000,
  pathsChars: 200_000,
  hotPaths: 100,
  intentChars: 10_000,
} as const;

/** The ways in which a merge request ends. */
export const mergeOutcomes = {
  landed: z.object({
    kind: z.literal("landed"),
    commit: objectIdSchema,
    tree: objectIdSchema,
    group: z.int().min(1).describe("How many landings were published together"),
  }),
  alreadyLanded: z.object({
    kind: z.literal("already-landed"),
    commit: objectIdSchema.describe("Its own commit on the trunk; with `empty` one that has all its changes"),
    empty: z
      .literal(true)
      .optional()
      .describe("Other landings brought every change of this attempt, so that it made no commit"),
  }),
  conflict: z.object({
    kind: z.literal("conflict"),
    paths: clippedList(conflictPathSchema, {
      maxItems: OUTCOME_LIMITS.paths,
      maxChars: OUTCOME_LIMITS.pathsChars,
    }).min(1),
    base: objectIdSchema.describe("The commit that the attempt started from"),
    theirIntent: clippedText(OUTCOME_LIMITS.intentChars).describe(
      "Titles of the landings since the base that touched these paths",
    ),
    hot: clippedList(pathText(), { maxItems: OUTCOME_LIMITS.hotPaths })
      .optional()
      .describe("The paths among them that are hot (HOT_AFTER)"),
  }),
  rejected: z.object({
    kind: z.literal("rejected"),
    check: clippedText(OUTCOME_LIMITS.checkChars),
    outputTail: tailText(HANDOFF_LIMITS.outputTailChars),
  }),
  unsafe: z.object({
    kind: z.literal("unsafe"),
    why: clippedText(OUTCOME_LIMITS.whyChars),
    lost: z
      .literal(true)
      .optional()
      .describe(
        "The store has lost the commits. The attempt did nothing wrong: it is run again, nothing counted",
      ),
  }),
  held: z.object({
    kind: z.literal("held"),
    why: clippedText(OUTCOME_LIMITS.whyChars),
    base: objectIdSchema,
  }),
} as const;

/** How a merge request ended. */
export const mergeOutcomeSchema = z.discriminatedUnion("kind", [
  mergeOutcomes.landed,
  mergeOutcomes.alreadyLanded,
  mergeOutcomes.conflict,
  mergeOutcomes.rejected,
  mergeOutcomes.unsafe,
  mergeOutcomes.held,
]);
export type MergeOutcome = z.infer<typeof mergeOutcomeSchema>;

/** Trailer names of a landing. Only the merger writes them. */
export const TRAILER = {
  task: "Swarm-Task",
  feature: "Swarm-Feature",
  attempt: "Swarm-Attempt",
  model: "Swarm-Model",
  costUsd: "Swarm-Cost-Usd",
} as const;
