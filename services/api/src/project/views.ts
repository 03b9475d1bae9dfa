import { z } from "zod";
import {
  featureSchema,
  handoffSchema,
  taskSchema,
  taskStatusSchema,
  usedUpSchema,
} from "@agentswarm/contracts";
import { costTableSchema } from "./cost-table.ts";

/** When a budget was last found used up. */
const budgetReachedSchema = usedUpSchema.extend({ at: z.int() }).nullable().default(null);

/** A feature by its events, with the ledger version of the newest. */
export const featureViewSchema = featureSchema.extend({
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
  attempts: z.array(attemptViewSchema),
  ledgerVersion: z.int().min(0),
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** The whole swarm's totals. */
export const swarmViewSchema = z.object({
  trunk: z.string().nullable(),
  green: z.string().nullable(),
  landings: z.int(),
  /** Times of the last landings, for the rate; milliseconds, newest last. */
  landedAt: z.array(z.int()),
  lastSweep: z.object({ at: z.int(), outcome: z.string(), head: z.string() }).nullable(),
  /** Running attempts: task id → attempt. */
  live: z.record(z.string(), z.int()),
  hotFiles: z.record(z.string(), z.int()),
  costs: costTableSchema.default({}),
  budgetReached: budgetReachedSchema,
});
export type SwarmView = z.infer<typeof swarmViewSchema>;

export const EMPTY_SWARM: SwarmView = {
  trunk: null,
  green: null,
  landings: 0,
  landedAt: [],
  lastSweep: null,
  live: {},
  hotFiles: {},
  costs: {},
  budgetReached: null,
};
