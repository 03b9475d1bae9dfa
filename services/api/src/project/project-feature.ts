import { z } from "zod";
import {
  featureCountsSchema,
  featureStatusSchema,
  featureSubmissionSchema,
  type DomainEvent,
} from "@agentswarm/contracts";
import type { FeatureView } from "./views.ts";

const changedSchema = z.object({
  status: featureStatusSchema,
  reason: z.string().nullable(),
  costUsd: z.number(),
  tokens: z.int(),
  finishedAt: z.int().nullable(),
  counts: featureCountsSchema,
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
    };
  }
  if (view === null) return null;
  if (event.type === "task.planned" && event.taskId !== undefined) {
    return view.taskIds.includes(event.taskId) ? view : { ...view, taskIds: [...view.taskIds, event.taskId] };
  }
  if (event.type !== "feature.changed") return view;
  const version = event.ledgerVersion ?? 0;
  const changed = changedSchema.safeParse(event.data);
  // Events may overtake each other; the ledger's version tells which is newer.
  if (!changed.success || version <= view.ledgerVersion) return view;
  return { ...view, ...changed.data, ledgerVersion: version };
}
