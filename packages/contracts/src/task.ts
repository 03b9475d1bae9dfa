import { z } from "zod";
import { clippedList, clippedText, pathText } from "./bounded.ts";
import { idSchema, objectIdSchema } from "./ids.ts";
import { actorSchema } from "./person.ts";
import { repoIdSchema } from "./repo.ts";

export const taskKindSchema = z.enum(["build", "fix", "resolve", "revert"]);
export type TaskKind = z.infer<typeof taskKindSchema>;

export const taskStatusSchema = z.enum([
  "planned",
  "ready",
  "sent",
  "running",
  "landing",
  "landed",
  "failed",
  "blocked",
  "held",
  "cancelled",
]);
export type TaskStatus = z.infer<typeof taskStatusSchema>;

/** Bounds of one attempt. The first bound that is reached ends it with `limit-reached`. */
export const limitsSchema = z.object({
  turns: z.int().min(1).describe("Model turns"),
  tokens: z.int().min(1).describe("Prompt and completion tokens over all calls"),
  costUsd: z.number().min(0),
  wallMs: z.int().min(1).describe("From sandbox open to handoff"),
  idleMs: z.int().min(1).describe("Longest time without a sign of life of the runner"),
});
export type Limits = z.infer<typeof limitsSchema>;

export const DEFAULT_LIMITS: Limits = {
  turns: 60,
  tokens: 2_000_000,
  costUsd: 5,
  wallMs: 1_800_000,
  idleMs: 300_000,
};

/** Time limit of a check that names none. */
export const DEFAULT_CHECK_TIMEOUT_MS = 300_000;

/** A command of the target that must pass. */
export const checkSchema = z.object({
  name: z.string().min(1).max(100),
  command: z.string().min(1).max(4_000).describe("Run by `sh -c` in the tree's root"),
  timeoutMs: z.int().min(1).default(DEFAULT_CHECK_TIMEOUT_MS),
});
export type Check = z.infer<typeof checkSchema>;

/** Both sides of a conflict, for its resolve task. */
export const resolveSchema = z.object({
  taskId: idSchema.describe("The task whose attempt conflicted"),
  attempt: z.int().min(1),
  ref: clippedText(300).describe("Its commits in the store"),
  baseCommit: objectIdSchema,
  headCommit: objectIdSchema,
  paths: clippedList(pathText(), { maxItems: 1_000, maxChars: 200_000 }).min(1).describe("Files in conflict"),
  ourIntent: clippedText(10_000).describe("Goal of the conflicting attempt"),
  theirIntent: clippedText(10_000).describe("Titles of the landings that it conflicts with"),
});
export type Resolve = z.infer<typeof resolveSchema>;

/** What a revert task takes back. No agent runs for it: the dispatcher makes the inverse commit. */
export const revertSchema = z.object({
  commits: z.array(objectIdSchema).min(1).max(1_000).describe("Landings on the trunk, newest first"),
  by: actorSchema.describe("Who ordered it, and so approved the commit that is made for it"),
});
export type Revert = z.infer<typeof revertSchema>;

/** One unit of coding work, small enough for one agent. Written by the planner only. */
export const taskSchema = z.object({
  id: idSchema,
  featureId: idSchema,
  repoId: repoIdSchema,
  featureSlug: clippedText(100),
  parentId: idSchema.optional().describe("For a resolve: the task whose attempt conflicted"),
  key: z.string().min(1).max(64).describe("The plan's own name for it; part of the Swarm-Key"),
  kind: taskKindSchema,
  title: z.string().min(1).max(200),
  description: z.string().max(50_000),
  context: z.string().max(200_000).default("").describe("Survey of the target, cut to SURVEY_TOKENS"),
  scope: z
    .array(pathText())
    .max(200)
    .default([])
    .describe("Globs that the diff must stay inside; empty: no bound"),
  acceptance: z.array(clippedText(2_000)).max(50).default([]),
  checks: z.array(checkSchema).max(50).default([]).describe("Run by the runner before it commits"),
  dependsOn: z.array(idSchema).max(200).default([]),
  priority: z.int().min(1).max(10),
  limits: limitsSchema,
  attemptBudget: z.int().min(1).max(20).default(3),
  resolve: resolveSchema.optional().describe("Only for kind `resolve`"),
  revert: revertSchema.optional().describe("Only for kind `revert` and its resolves"),
  feedback: z.string().max(20_000).default("").describe("Failures of earlier attempts"),
});
export type Task = z.infer<typeof taskSchema>;
