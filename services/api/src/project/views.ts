import { z } from "zod";
import {
  DEFAULT_REPO,
  featureCountsSchema,
  featureSchema,
  handoffSchema,
  liftCounts,
  taskSchema,
  taskStatusSchema,
  usedUpSchema,
} from "@agentswarm/contracts";
import { costTableSchema } from "./cost-table.ts";

/** When a budget was last found used up. */
const budgetReachedSchema = usedUpSchema.extend({ at: z.int() }).nullable().default(null);

/** A feature by its events, with the ledger version of the newest. */
export const featureViewSchema = featureSchema.extend({
  // Documents of schema version 1 have the counts of that version.
  counts: z.preprocess(liftCounts, featureCountsSchema),
  ledgerVersion: z.int().min(0),
  taskIds: z.array(z.string()),
  costs: costTableSchema.default({}),
  budgetReached: budgetReachedSchema,
});
export type FeatureView = z.infer<typeof featureViewSchema>;

const attemptViewSchema = z.object({
  attempt: z.int(),
  round: z.int().nullable(),
  startedAt: z.int().nullable(),
  endedAt: z.int().nullable(),
  sandboxId: z.string().nullable(),
  baseCommit: z.string().nullable(),
  costs: costTableSchema.default({}),
  handoff: handoffSchema.nullable(),
  outcome: z.looseObject({ kind: z.string() }).nullable().describe("How its landing ended"),
});
export type AttemptView = z.infer<typeof attemptViewSchema>;

/** A task by its events. */
export const taskViewSchema = taskSchema.omit({ context: true }).extend({
  status: taskStatusSchema.describe("By the planner's ledger; `taskStatus` refines it"),
  reason: z.string().nullable(),
  round: z.int().min(0),
  attemptsUsed: z.int().min(0),
  supersededBy: z.string().nullable(),
  commit: z.string().nullable(),
  heldCommit: z.string().nullable().optional().describe("Absent in views of version 0.1"),
  attempts: z.array(attemptViewSchema),
  ledgerVersion: z.int().min(0),
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** The trunk of one repository. */
const repoViewSchema = z.object({
  trunk: z.string().nullable(),
  green: z.string().nullable(),
  lastSweep: z.object({ at: z.int(), outcome: z.string(), head: z.string() }).nullable(),
  hotFiles: z.record(z.string(), z.int()),
});
export type RepoView = z.infer<typeof repoViewSchema>;

export const EMPTY_REPO: RepoView = { trunk: null, green: null, lastSweep: null, hotFiles: {} };

/** The whole swarm's totals, and the trunk of each repository. */
const swarmObjectSchema = z.object({
  repos: z.record(z.string(), repoViewSchema),
  landings: z.int(),
  /** Times of the last landings, for the rate; milliseconds, newest last. */
  landedAt: z.array(z.int()),
  /** Running attempts: task id → attempt. */
  live: z.record(z.string(), z.int()),
  costs: costTableSchema.default({}),
  budgetReached: budgetReachedSchema,
});
export const swarmViewSchema = z.preprocess(liftOldSwarm, swarmObjectSchema);
export type SwarmView = z.infer<typeof swarmViewSchema>;

/** Documents of version 1 have one trunk for the whole swarm. */
function liftOldSwarm(document: unknown): unknown {
  const old = repoViewSchema.safeParse(document);
  return old.success ? { repos: { [DEFAULT_REPO]: old.data }, ...(document as object) } : document;
}

export const EMPTY_SWARM: SwarmView = {
  repos: {},
  landings: 0,
  landedAt: [],
  live: {},
  costs: {},
  budgetReached: null,
};
