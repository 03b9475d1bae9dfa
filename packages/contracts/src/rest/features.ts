import { z } from "zod";
import { budgetSchema } from "../budget.ts";
import { decisionSchema } from "../decision.ts";
import { featureInputSchema, featureSchema, featureStatusSchema } from "../feature.ts";
import { idSchema } from "../ids.ts";
import { personActionSchema } from "../person.ts";
import { taskKindSchema, taskStatusSchema } from "../task.ts";
import { shownBudgetSchema, costSchema } from "./cost.ts";
import { waitingSchema } from "./waiting.ts";
import type { Route } from "./route.ts";

const params = z.object({ id: idSchema });

/** Why a person does something; shown wherever its effect is. */
export const whyBodySchema = z.object({ why: z.string().trim().max(2_000).optional() }).nullish();

/** A command was written to the queue; its effect shows in the feature or task at `url`. */
export const acceptedSchema = z.object({ id: idSchema, url: z.string() });
export type Accepted = z.infer<typeof acceptedSchema>;

/** The answer to a submission. */
export const submittedFeatureSchema = acceptedSchema.extend({
  slug: z.string(),
  status: featureStatusSchema,
});
export type SubmittedFeature = z.infer<typeof submittedFeatureSchema>;

/** A feature in a list. `costUsd` and `tokens` are the sums of its model calls, of planning and attempts alike. */
export const featureSummarySchema = z.object({
  ...featureSchema.shape,
  slug: z.string(),
  waiting: waitingSchema
    .nullable()
    .describe("Why it, or one of its tasks, does not go on; null while it does"),
});
export type FeatureSummary = z.infer<typeof featureSummarySchema>;

export const featurePageSchema = z.object({
  features: z.array(featureSummarySchema),
  cursor: z.string().nullable().describe("For the next page; null on the last one"),
});
export type FeaturePage = z.infer<typeof featurePageSchema>;

/** A task in a feature's list. */
export const taskSummarySchema = z.object({
  id: idSchema,
  key: z.string(),
  kind: taskKindSchema,
  title: z.string(),
  status: taskStatusSchema,
  reason: z.string().nullable(),
  round: z.int().min(0).describe("How often the task was sent"),
  dependsOn: z.array(idSchema),
  commit: z.string().nullable().describe("The commit on the trunk"),
  supersededBy: z.string().nullable().describe("The task that takes its place after a conflict"),
  heldCommit: z.string().nullable().describe("The commit that waits for a person's approval"),
  waiting: waitingSchema.nullable().describe("Why it does not go on; null while it does"),
  attempts: z.int().min(0),
  costUsd: z.number().min(0).describe("The sum of its attempts' model calls"),
});
export type TaskSummary = z.infer<typeof taskSummarySchema>;

/** What a person did, and when (milliseconds since 1970, Redis time). */
export const shownActionSchema = personActionSchema.extend({ at: z.int() });
export type ShownAction = z.infer<typeof shownActionSchema>;

export const featureDetailSchema = featureSummarySchema.extend({
  cost: costSchema,
  /** What it may cost; the cap it was submitted with or given since, else FEATURE_BUDGET_*. */
  budget: shownBudgetSchema,
  tasks: z.array(taskSummarySchema),
  decisions: z.array(decisionSchema).default([]).describe("What a person is asked about it or its tasks now"),
  actions: z
    .array(shownActionSchema)
    .default([])
    .describe("What people did to it and to its tasks, oldest first; the newest 20"),
  notice: z.string().nullable().describe("What a person should know about its trunk; null: nothing"),
});
export type FeatureDetail = z.infer<typeof featureDetailSchema>;

export const featureQuerySchema = z.object({
  status: featureStatusSchema.optional(),
  q: z.string().max(200).optional().describe("Words of title or description"),
  limit: z.coerce.number<number | string>().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});
export type FeatureQuery = z.output<typeof featureQuerySchema>;

const newBudgetSchema = budgetSchema.refine(({ usd, tokens }) => usd !== undefined || tokens !== undefined, {
  error: "name usd, tokens or both",
});

export const FEATURE_ROUTES = {
  submitFeature: {
    method: "POST",
    path: "/v1/features",
    tag: "features",
    summary: "Submit a feature",
    needs: "submitter",
    // By its Idempotency-Key, which the client always sends.
    repeatable: true,
    headers: z.object({ "idempotency-key": z.string().min(1).max(200).optional() }),
    body: featureInputSchema,
    status: 202,
    type: "application/json",
    response: submittedFeatureSchema,
  },
  listFeatures: {
    method: "GET",
    path: "/v1/features",
    tag: "features",
    summary: "Features, newest first",
    needs: "viewer",
    repeatable: true,
    query: featureQuerySchema,
    status: 200,
    type: "application/json",
    response: featurePageSchema,
  },
  getFeature: {
    method: "GET",
    path: "/v1/features/:id",
    tag: "features",
    summary: "One feature with its tasks",
    needs: "viewer",
    repeatable: true,
    params,
    status: 200,
    type: "application/json",
    response: featureDetailSchema,
  },
  getFeatureDiff: {
    method: "GET",
    path: "/v1/features/:id/diff",
    tag: "features",
    summary: "What a feature changes: its landed attempts in order, then those that may still land",
    needs: "viewer",
    repeatable: true,
    params,
    status: 200,
    type: "text/x-diff",
    response: z.string().describe("The diffs of its attempts, one after another, each behind a line `# ==…`"),
  },
  cancelFeature: {
    method: "POST",
    path: "/v1/features/:id/cancel",
    tag: "features",
    summary: "Cancel a feature",
    needs: "submitter",
    needsForOthers: "operator",
    repeatable: true,
    params,
    body: whyBodySchema,
    status: 202,
    type: "application/json",
    response: acceptedSchema,
  },
  revertFeature: {
    method: "POST",
    path: "/v1/features/:id/revert",
    tag: "features",
    summary: "Take all landings of a feature off the trunk",
    needs: "operator",
    repeatable: true,
    params,
    body: z.object({ why: z.string().trim().min(1).max(2_000) }),
    status: 202,
    type: "application/json",
    response: acceptedSchema,
  },
  retryFeature: {
    method: "POST",
    path: "/v1/features/:id/retry",
    tag: "features",
    summary: "Take a failed or cancelled feature up again where it ended",
    needs: "submitter",
    needsForOthers: "operator",
    repeatable: false,
    params,
    status: 202,
    type: "application/json",
    response: acceptedSchema,
  },
  setFeatureBudget: {
    method: "POST",
    path: "/v1/features/:id/budget",
    tag: "features",
    summary: "Change what a feature may cost",
    needs: "submitter",
    needsForOthers: "operator",
    repeatable: false,
    params,
    body: newBudgetSchema,
    status: 202,
    type: "application/json",
    response: acceptedSchema,
  },
} as const satisfies Record<string, Route>;
