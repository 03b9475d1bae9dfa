import { z } from "zod";
import {
  answerRefusalSchema,
  decisionSchema,
  domainEventSchema,
  featureCountsSchema,
  featureSchema,
  handoffSchema,
  hearingSchema,
  liftCounts,
  liftEvent,
  noteSchema,
  shownActionSchema,
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
  costs: costTableSchema.default({}),
  budgetReached: budgetReachedSchema,
  actions: z.array(shownActionSchema).default([]),
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
  changedAt: z.int().nullable().default(null).describe("When the planner last changed it"),
  ledgerVersion: z.int().min(0),
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** A decision by its events, with the ledger version of the newest, and the newest of the answers that were refused. */
export const decisionViewSchema = decisionSchema.extend({
  ledgerVersion: z.int().min(0),
  refusals: z
    .array(answerRefusalSchema)
    .default([])
    .describe("For the requests that wait for the outcome of their answers"),
});
export type DecisionView = z.infer<typeof decisionViewSchema>;

/** What was said to a feature, or to a task; see `projectNotes`. */
export const notesViewSchema = z.object({
  said: z.array(noteSchema.extend({ refused: z.string().nullable() })),
  heard: z.record(z.string(), z.array(hearingSchema)).describe("By the notes' ids"),
});
export type NotesView = z.infer<typeof notesViewSchema>;

/** The trunk of one repository. */
export const repoViewSchema = z.object({
  trunk: z.string().nullable(),
  green: z.string().nullable(),
  lastSweep: z.object({ at: z.int(), outcome: z.string(), head: z.string() }).nullable(),
});
export type RepoView = z.infer<typeof repoViewSchema>;

export const EMPTY_REPO: RepoView = { trunk: null, green: null, lastSweep: null };

/** The whole swarm's totals. */
export const totalsSchema = z.object({
  landings: z.int(),
  costs: costTableSchema,
  budgetReached: budgetReachedSchema,
});
export type Totals = z.infer<typeof totalsSchema>;

export const NO_TOTALS: Totals = { landings: 0, costs: {}, budgetReached: null };

/** Events that came before their feature or task, oldest first. */
export const earlyEventsSchema = z.array(z.preprocess(liftEvent, domainEventSchema));
