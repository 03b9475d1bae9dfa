import { z } from "zod";
import {
  budgetSchema,
  featureCountsSchema,
  featureStatusSchema,
  featureSubmissionSchema,
  forecastSchema,
  usedUpSchema,
  type DomainEvent,
} from "@agentswarm/contracts";
import { addCost } from "./cost-table.ts";
import type { FeatureView } from "./views.ts";

const changedSchema = z.object({
  status: featureStatusSchema,
  reason: z.string().nullable(),
  costUsd: z.number(),
  tokens: z.int(),
  finishedAt: z.int().nullable(),
  counts: featureCountsSchema,
  budget: budgetSchema.optional(),
  forecast: forecastSchema.nullable().default(null),
});

const NO_COUNTS = { total: 0, landed: 0, running: 0, failed: 0, held: 0 };

/** A feature's view after an event; the same object when the event tells it nothing. */
export function projectFeature(view: FeatureView | null, event: DomainEvent): FeatureView | null {
  if (event.type === "feature.submitted") {
    const submitted = featureSubmissionSchema.safeParse(event.data);
    if (!submitted.success || view !== null) return view;
    return {
      ...submitted.data,
      status: "queued",
      reason: null,
      counts: NO_COUNTS,
      costUsd: 0,
      tokens: 0,
      finishedAt: null,
      ledgerVersion: 0,
      taskIds: [],
      forecast: null,
      costs: {},
      budgetReached: null,
    };
  }
  if (view === null) return null;
  if (event.type === "task.planned" && event.taskId !== undefined) {
    return view.taskIds.includes(event.taskId) ? view : { ...view, taskIds: [...view.taskIds, event.taskId] };
  }
  if (event.type === "budget.reached") {
    const reached = usedUpSchema.safeParse(event.data);
    const isNews =
      reached.success && reached.data.level !== "task" && event.at > (view.budgetReached?.at ?? 0);
    return isNews ? { ...view, budgetReached: { ...reached.data, at: event.at } } : view;
  }
  if (event.type !== "feature.changed") return view;
  const version = event.ledgerVersion ?? 0;
  const changed = changedSchema.safeParse(event.data);
  // Events may overtake each other; the ledger's version tells which is newer.
  if (!changed.success || version <= view.ledgerVersion) return view;
  return { ...view, ...changed.data, ledgerVersion: version };
}

/** What a `model.used` adds to a feature. To be called once per event, unlike the above. */
export function addFeatureCost(view: FeatureView | null, event: DomainEvent): FeatureView | null {
  if (view === null || event.type !== "model.used") return view;
  return { ...view, costs: addCost(view.costs, event.data) };
}
