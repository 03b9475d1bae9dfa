import { z } from "zod";
import { clippedText } from "./bounded.ts";
import { budgetSchema, forecastSchema } from "./budget.ts";
import { idSchema } from "./ids.ts";
import { actorSchema, askedBy } from "./person.ts";
import { repoIdSchema } from "./repo.ts";

export const featureSourceSchema = z.enum(["rest", "cli", "console", "backlog", "mcp", "webhook", "system"]);

export const featureStatusSchema = z.enum([
  "queued",
  "planning",
  "building",
  "verifying",
  "done",
  "failed",
  "cancelled",
  "held",
]);
export type FeatureStatus = z.infer<typeof featureStatusSchema>;

/** A feature as a user submits it. Unknown fields are refused, so that a misspelt name is noticed. */
export const featureInputSchema = z.strictObject({
  title: z.string().trim().min(1).max(200).describe("One line; also names the feature's slug"),
  description: z.string().trim().max(50_000).default("").describe("The requirement, in Markdown"),
  acceptance: z
    .array(z.string().trim().min(1).max(2_000))
    .max(50)
    .default([])
    .describe("Statements that hold when the feature is done"),
  priority: z.int().min(1).max(10).default(5).describe("1 is first, 10 is last"),
  budget: budgetSchema.optional().describe("Caps of this feature; by default FEATURE_BUDGET_*"),
});
export type FeatureInput = z.infer<typeof featureInputSchema>;

/** A submitted feature as it travels to the planner. */
export const featureSubmissionSchema = featureInputSchema.extend({
  id: idSchema,
  repoId: repoIdSchema,
  source: featureSourceSchema.describe("By which way it came in"),
  by: actorSchema.optional().describe("Who asked for it; absent in documents of version 0.1"),
  createdAt: z.int().describe("Milliseconds since 1970, Redis time"),
});
export type FeatureSubmission = z.infer<typeof featureSubmissionSchema>;

/** Number of tasks of a feature by status. Cancelled tasks are not counted. */
export const featureCountsSchema = z.object({
  total: z.int().min(0),
  ready: z.int().min(0).default(0).describe("could be sent, but a budget is used up"),
  underWay: z.int().min(0).describe("sent, running or landing"),
  landed: z.int().min(0),
  failed: z.int().min(0).describe("failed or blocked"),
  held: z.int().min(0),
});

/** Counts as this version reads them: those of schema version 1 have `running` for `underWay`. */
export function liftCounts(counts: unknown): unknown {
  if (typeof counts !== "object" || counts === null || !("running" in counts)) return counts;
  const { running, ...rest } = counts;
  return { underWay: running, ...rest };
}

/** Who had a feature taken back, and why. */
export const featureRevertSchema = z.object({
  ...askedBy,
  why: clippedText(2_000),
  at: z.int().describe("Milliseconds since 1970, Redis time"),
});
export type FeatureRevert = z.infer<typeof featureRevertSchema>;

/** A feature as the api shows it. */
export const featureSchema = featureSubmissionSchema.extend({
  status: featureStatusSchema,
  reason: z.string().nullable().describe("Why the feature ended, waits or is held; null otherwise"),
  counts: featureCountsSchema,
  costUsd: z.number().min(0),
  tokens: z.int().min(0).describe("Prompt and completion tokens together"),
  finishedAt: z.int().nullable(),
  revert: featureRevertSchema
    .nullable()
    .default(null)
    .describe("Set once it is taken back; with the status cancelled its landings are off the trunk"),
  forecast: forecastSchema
    .nullable()
    .default(null)
    .describe("null until there is a plan and a history of costs"),
});
export type Feature = z.infer<typeof featureSchema>;
