import { z } from "zod";
import { repoIdSchema } from "../repo.ts";
import { QUEUE_NAMES } from "../queues.ts";
import { shownBudgetSchema, costSchema } from "./cost.ts";
import { waitingSchema } from "./waiting.ts";
import { pausedWorkSchema } from "./pause.ts";
import type { Route } from "./route.ts";

/** The trunk of one repository. */
const trunkStatus = {
  trunk: z.string().nullable().describe("The newest commit of the trunk; null before the first landing"),
  green: z.string().nullable().describe("The newest commit that passed every check"),
  lastSweep: z.object({ at: z.int(), outcome: z.string(), head: z.string() }).nullable(),
  hotFiles: z.record(z.string(), z.int()).describe("Conflicts by file, for files that conflict often"),
};

export const shownModelSchema = z.object({
  name: z.string(),
  recorded: z.boolean().describe("Whether recorded answers are played, because no model is configured"),
  unpriced: z
    .string()
    .nullable()
    .default(null)
    .describe("Which models have no known price, so that no budget in US dollars is accepted; or null"),
});
export type ShownModel = z.infer<typeof shownModelSchema>;

/** The whole swarm at a glance. */
/** How many decisions wait for a person. */
export const openDecisionsSchema = z.object({
  open: z.int().min(0),
  byKind: z.record(z.string(), z.int()).describe("Open decisions by kind, for kinds that have some"),
  overdue: z.int().min(0).describe("Open ones that should have been decided by now"),
  oldestAskedAt: z.int().nullable().describe("Milliseconds since 1970, Redis time"),
});
export type OpenDecisions = z.infer<typeof openDecisionsSchema>;

export const swarmStatusSchema = z.object({
  features: z.record(z.string(), z.int()).describe("Features by status"),
  queues: z
    .record(z.enum(QUEUE_NAMES), z.record(z.string(), z.int()))
    .describe("Jobs by queue and BullMQ state"),
  services: z.record(z.string(), z.int()).describe("Connected workers by service"),
  agents: z.object({
    live: z.int().describe("Attempts that run"),
    attempts: z.record(z.string(), z.int()).describe("Running attempt by task id"),
  }),
  waiting: z
    .array(
      waitingSchema.extend({ waits: z.int().min(1).describe("Features, tasks and sweeps that wait for it") }),
    )
    .describe("What is wrong around the swarm: every reason once, the one that most wait for first"),
  decisions: openDecisionsSchema
    .default({ open: 0, byKind: {}, overdue: 0, oldestAskedAt: null })
    .describe("Absent in answers of version 0.1"),
  backends: z
    .array(z.object({ backend: z.string(), why: z.string(), since: z.int() }))
    .describe("Backends that get no calls for now, because their last calls failed"),
  notices: z
    .array(z.object({ repoId: repoIdSchema, notice: z.string() }))
    .describe("What a person should know about a trunk: it is held, or nothing is checked on it"),
  paused: z.array(pausedWorkSchema).default([]).describe("What people or alarms have paused"),
  model: shownModelSchema.nullable().describe("The model that answers; null until a planner has started"),
  landings: z.object({ total: z.int(), lastHour: z.int() }),
  /** Those of the default repository, as in `repos.main`. */
  ...trunkStatus,
  repos: z.record(z.string(), z.object(trunkStatus)).describe("The same for each repository, by its id"),
  /** Every model call: of attempts, of the planner and of the reconciler. */
  cost: costSchema.extend({ budget: shownBudgetSchema }),
});
export type SwarmStatus = z.infer<typeof swarmStatusSchema>;

export const STATUS_ROUTES = {
  getStatus: {
    method: "GET",
    path: "/v1/status",
    tag: "swarm",
    summary: "The whole swarm at a glance",
    needs: "viewer",
    repeatable: true,
    status: 200,
    type: "application/json",
    response: swarmStatusSchema,
  },
} as const satisfies Record<string, Route>;
