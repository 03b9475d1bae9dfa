import { z } from "zod";
import { clippedText } from "../bounded.ts";
import { budgetSchema, forecastSchema } from "../budget.ts";
import {
  featureCountsSchema,
  featureRevertSchema,
  featureStatusSchema,
  featureSubmissionSchema,
} from "../feature.ts";
import { eventSchema } from "./about.ts";

/** Sent by the api and again by the planner under one id, so that lists show a feature before it is planned. */
export const featureSubmitted = eventSchema("feature.submitted", "feature", featureSubmissionSchema);

export const featureChanged = eventSchema(
  "feature.changed",
  "feature",
  z.object({
    status: featureStatusSchema,
    reason: clippedText(10_000).nullable(),
    costUsd: z.number().min(0),
    tokens: z.int().min(0),
    finishedAt: z.int().nullable().describe("Milliseconds since 1970, Redis time"),
    counts: featureCountsSchema,
    budget: budgetSchema.optional(),
    forecast: forecastSchema.nullable().default(null),
    revert: featureRevertSchema.nullable().default(null),
  }),
);
