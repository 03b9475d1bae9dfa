import { z } from "zod";
import { handoffSchema } from "./handoff.ts";
import { idSchema, objectIdSchema } from "./ids.ts";

/** A finished attempt on its way to the trunk. Sent by the dispatcher. */
export const mergeRequestSchema = z.object({
  taskId: idSchema,
  featureId: idSchema,
  attempt: z.int().min(1),
  ref: z.string().describe("refs/swarm/<taskId>/<attempt> in the store"),
  baseCommit: objectIdSchema,
  headCommit: objectIdSchema,
  title: z.string(),
  approvedBy: z.string().optional().describe("Who approved its protected paths"),
  handoff: handoffSchema,
});
export type MergeRequest = z.infer<typeof mergeRequestSchema>;

export const conflictPathSchema = z.object({
  path: z.string(),
  base: objectIdSchema.nullable().describe("Blob ids; null where the side has no such file"),
  ours: objectIdSchema.nullable().describe("The trunk's"),
  theirs: objectIdSchema.nullable().describe("The attempt's"),
});
export type ConflictPath = z.infer<typeof conflictPathSchema>;

/** Conflicts after which a file counts as hot: it wants splitting, or its tasks an order. */
export const HOT_AFTER = 5;

/** How a merge request ended. */
export const mergeOutcomeSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("landed"),
    commit: objectIdSchema,
    tree: objectIdSchema,
    group: z.int().min(1).describe("How many landings were published together"),
  }),
  z.object({ kind: z.literal("already-landed"), commit: objectIdSchema }),
  z.object({
    kind: z.literal("conflict"),
    paths: z.array(conflictPathSchema).min(1),
    base: objectIdSchema.describe("Where the attempt began"),
    theirIntent: z.string().describe("Titles of the landings since the base that touched these paths"),
    hot: z.array(z.string()).optional().describe("Those of the paths that conflict again and again"),
  }),
  z.object({ kind: z.literal("rejected"), check: z.string(), outputTail: z.string() }),
  z.object({ kind: z.literal("unsafe"), why: z.string() }),
  z.object({ kind: z.literal("held"), why: z.string(), base: objectIdSchema }),
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
