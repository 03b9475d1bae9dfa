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

/** A feature as shown, with the version of the ledger it was last told by. */
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
  outcome: z.record(z.string(), z.unknown()).nullable().describe("What became of its landing"),
});
export type AttemptView = z.infer<typeof attemptViewSchema>;

/** A task as shown. */
export const taskViewSchema = taskSchema.omit({ context: true }).extend({
  status: taskStatusSchema,
  reason: z.string().nullable(),
  round: z.int().min(0),
  attemptsUsed: z.int().min(0),
  supersededBy: z.string().nullable(),
  commit: z.string().nullable(),
  attempts: z.array(attemptViewSchema),
  ledgerVersion: z.int().min(0),
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** What the whole swarm shows of itself. */
export const swarmViewSchema = z.object({
  trunk: z.string().nullable(),
  green: z.string().nullable(),
  costUsd: z.number(),
  tokens: z.int(),
  landings: z.int(),
  /** When the last landings were, for the rate; milliseconds, newest last. */
  landedAt: z.array(z.int()),
  lastSweep: z.object({ at: z.int(), outcome: z.string(), head: z.string() }).nullable(),
  /** Attempts at work: task id → attempt. */
  live: z.record(z.string(), z.int()),
  hotFiles: z.record(z.string(), z.int()),
  costs: costTableSchema.default({}),
  budgetReached: budgetReachedSchema,
});
export type SwarmView = z.infer<typeof swarmViewSchema>;

export const EMPTY_SWARM: SwarmView = {
  trunk: null,
  green: null,
  costUsd: 0,
  tokens: 0,
  landings: 0,
  landedAt: [],
  lastSweep: null,
  live: {},
  hotFiles: {},
  costs: {},
  budgetReached: null,
};
