import { z } from "zod";
import { idSchema, objectIdSchema } from "./ids.ts";

export const attemptEndSchema = z.enum([
  "submitted",
  "limit-reached",
  "stuck",
  "failed",
  "resource",
  "lost",
  "cancelled",
  "budget",
]);
export type AttemptEnd = z.infer<typeof attemptEndSchema>;

/**
 * Ends that use up the task's attempt budget. The other ends are caused by the infrastructure or by a person; after
 * `budget` the task waits until the budget of the swarm or the feature is raised.
 */
export const COUNTED_ENDS: ReadonlySet<AttemptEnd> = new Set(["failed", "stuck", "limit-reached"]);

/** The result of one run of one check. */
export const checkResultSchema = z.object({
  name: z.string().optional(),
  command: z.string(),
  exitCode: z.int().describe("-1 when the check was killed at its time limit"),
  durationMs: z.number().min(0),
  outputTail: z.string().describe("The last 8,000 characters of stdout and stderr together"),
});
export type CheckResult = z.infer<typeof checkResultSchema>;

export const metricsSchema = z.object({
  linesAdded: z.int().min(0),
  linesRemoved: z.int().min(0),
  filesCreated: z.int().min(0),
  filesModified: z.int().min(0),
  tokensIn: z.int().min(0),
  tokensOut: z.int().min(0),
  tokensCached: z.int().min(0),
  costUsd: z.number().min(0).describe("Metered by the gateway, never by the sandbox; US dollars"),
  toolCalls: z.int().min(0),
  turns: z.int().min(0),
  durationMs: z.number().min(0),
});
export type Metrics = z.infer<typeof metricsSchema>;

export const NO_METRICS: Metrics = {
  linesAdded: 0,
  linesRemoved: 0,
  filesCreated: 0,
  filesModified: 0,
  tokensIn: 0,
  tokensOut: 0,
  tokensCached: 0,
  costUsd: 0,
  toolCalls: 0,
  turns: 0,
  durationMs: 0,
};

export const handoffOutcomeSchema = z.enum(["complete", "partial", "blocked", "failed"]);

/** The agent's claim through its `submit` tool, kept apart from measured values. */
export const agentClaimSchema = z.object({
  outcome: handoffOutcomeSchema.default("complete"),
  summary: z.string().max(10_000),
  did: z.array(z.string()).max(100).default([]),
  deviations: z.array(z.string()).max(100).default([]),
  concerns: z.array(z.string()).max(100).default([]),
  suggestions: z.array(z.string()).max(100).default([]),
});
export type AgentClaim = z.infer<typeof agentClaimSchema>;

/** The result that the runner sends through the door. Untrusted until the dispatcher has validated it. */
export const agentResultSchema = agentClaimSchema.extend({
  end: attemptEndSchema,
  reason: z.string().max(20_000).optional(),
  filesChanged: z.array(z.string()).max(100_000).default([]),
  checks: z.array(checkResultSchema).default([]),
  metrics: metricsSchema,
  headCommit: objectIdSchema.nullable().describe("null when nothing was committed"),
});
export type AgentResult = z.infer<typeof agentResultSchema>;

/** The report of an attempt to the planner: the agent's claim, completed with measured values by the dispatcher. */
export const handoffSchema = agentResultSchema.extend({
  taskId: idSchema,
  attempt: z.int().min(1),
  round: z.int().min(1),
  model: z.string().default("unknown").describe("The model that answered, as the gateway recorded it"),
});
export type Handoff = z.infer<typeof handoffSchema>;

/** The lists of a handoff that has nothing to list. */
export const NO_NOTES = {
  did: [],
  deviations: [],
  concerns: [],
  suggestions: [],
  filesChanged: [],
  checks: [],
} satisfies Partial<Handoff>;
