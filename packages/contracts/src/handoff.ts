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
 * Endings that use up the task's attempt budget; the others are the infrastructure's or a person's doing. With `budget`
 * the swarm's or the feature's budget was used up; the task waits until it is raised.
 */
export const COUNTED_ENDS: ReadonlySet<AttemptEnd> = new Set(["failed", "stuck", "limit-reached"]);

/** One run of one check. */
export const checkResultSchema = z.object({
  name: z.string().optional(),
  command: z.string(),
  exitCode: z.int().describe("-1 when it was killed at its time limit"),
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
  costUsd: z.number().min(0).describe("Metered by the gateway, never by the sandbox"),
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

/** What the agent says through its `submit` tool. A claim, kept apart from what was measured. */
export const agentClaimSchema = z.object({
  outcome: handoffOutcomeSchema.default("complete"),
  summary: z.string().max(10_000),
  did: z.array(z.string()).max(100).default([]),
  deviations: z.array(z.string()).max(100).default([]),
  concerns: z.array(z.string()).max(100).default([]),
  suggestions: z.array(z.string()).max(100).default([]),
});
export type AgentClaim = z.infer<typeof agentClaimSchema>;

/** What the runner writes as result.json inside the sandbox. Untrusted until the dispatcher has looked at it. */
export const agentResultSchema = agentClaimSchema.extend({
  end: attemptEndSchema,
  reason: z.string().max(20_000).optional(),
  filesChanged: z.array(z.string()).max(100_000).default([]),
  checks: z.array(checkResultSchema).default([]),
  metrics: metricsSchema,
  headCommit: objectIdSchema.nullable().describe("null when nothing was committed"),
});
export type AgentResult = z.infer<typeof agentResultSchema>;

/** What an attempt reports to the planner: the agent's claim, completed by the dispatcher. */
export const handoffSchema = agentResultSchema.extend({
  taskId: idSchema,
  attempt: z.int().min(1),
  round: z.int().min(1),
  model: z.string().default("unknown").describe("The model that served the attempt, as the gateway saw it"),
});
export type Handoff = z.infer<typeof handoffSchema>;

/** What a handoff lists when there is nothing to tell. */
export const NO_NOTES = {
  did: [],
  deviations: [],
  concerns: [],
  suggestions: [],
  filesChanged: [],
  checks: [],
} satisfies Partial<Handoff>;
