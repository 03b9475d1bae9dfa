import { z } from "zod";
import type { Route } from "./route.ts";

const names = z.array(z.string().max(1_000)).max(100);

/** How the views were made from the event archive, and what could not be made from it. Lists name the first hundred. */
export const rebuildReportSchema = z.object({
  since: z.string().max(10).nullable().describe("The first day of the archive; null when it is empty"),
  events: z.int().min(0).describe("Events that were read, each counted once"),
  features: z.int().min(0),
  tasks: z.int().min(0),
  keptFeatures: z.int().min(0).describe("Features older than the archive, whose present views were kept"),
  withoutBeginning: names.describe(
    "Features and tasks with events in the archive, but without their first one",
  ),
  unreadableLines: z.int().min(0),
  firstUnreadable: names.describe("Where those lines lie"),
  sentAgain: names.describe("After a wipe of Redis: features that had not ended and are planned again"),
});
export type RebuildReport = z.infer<typeof rebuildReportSchema>;

/** The newest rebuild of the views. */
export const rebuildStateSchema = z.object({
  state: z.enum(["never", "running", "done", "failed"]),
  at: z.int().nullable().describe("When it reached this state; milliseconds since 1970, Redis time"),
  reason: z.string().max(2_000).nullable().describe("Why it failed"),
  report: rebuildReportSchema.nullable(),
});
export type RebuildState = z.infer<typeof rebuildStateSchema>;

export const REBUILD_ROUTES = {
  rebuildViews: {
    method: "POST",
    path: "/v1/events/rebuild",
    tag: "swarm",
    summary: "Make the views (features, tasks, costs) anew from the event archive; 409 while one is made",
    needs: "operator",
    repeatable: false,
    status: 202,
    type: "application/json",
    response: rebuildStateSchema,
  },
  getRebuild: {
    method: "GET",
    path: "/v1/events/rebuild",
    tag: "swarm",
    summary: "How far the newest rebuild of the views is",
    needs: "viewer",
    repeatable: true,
    status: 200,
    type: "application/json",
    response: rebuildStateSchema,
  },
} as const satisfies Record<string, Route>;
