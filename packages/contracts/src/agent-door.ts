import { z } from "zod";
import { agentRuntimeSchema } from "./agent-runtime.ts";
import { objectIdSchema } from "./ids.ts";
import { checkSchema, taskSchema } from "./task.ts";

/**
 * What the dispatcher tells the agent through the sandbox's door, at `GET /task`. The other paths are
 * `GET /bundle/{full,thin,resolve}` (204: none), `POST /v1/chat/completions` (the gateway), `POST /progress`,
 * `POST /transcript` (JSON lines), `PUT /bundle` (its commits) and, last, `PUT /result` (an AgentResult).
 */
export const assignmentSchema = z.object({
  task: taskSchema,
  attempt: z.int().min(1),
  baseCommit: objectIdSchema,
  swarmKey: z.string(),
  /** The gate's checks, run by the runner before it hands over. */
  checks: z.array(checkSchema),
  model: z.string(),
  gatewayKey: z.string(),
  maxTokens: z.int().min(1),
  temperature: z.number(),
  /** Absent: the loop that is built in. */
  runtime: agentRuntimeSchema.optional(),
});
export type Assignment = z.infer<typeof assignmentSchema>;

/** One sign of life; at most one a second is passed on. */
export const progressSchema = z.object({
  turn: z.int().min(0),
  tool: z.string().max(100).optional(),
  text: z.string().max(500).optional(),
});
export type Progress = z.infer<typeof progressSchema>;
