import { z } from "zod";
import { agentRuntimeSchema } from "./agent-runtime.ts";
import { objectIdSchema } from "./ids.ts";
import { noteSchema } from "./note.ts";
import { answeredQuestionSchema, MAX_ANSWERS, parkedWorkSchema } from "./question.ts";
import { checkSchema, taskSchema } from "./task.ts";

/** Everything that an agent needs to know for one attempt. */
export const assignmentSchema = z.object({
  task: taskSchema,
  attempt: z.int().min(1),
  baseCommit: objectIdSchema,
  swarmKey: z.string(),
  /** The gate checks; the runner runs them before it hands over. */
  checks: z.array(checkSchema),
  model: z.string(),
  /** The attempt's own key to the model; the real keys never enter a sandbox. */
  gatewayKey: z.string(),
  maxTokens: z.int().min(1),
  temperature: z.number(),
  /** What people said about the task before this attempt. */
  notes: z.array(noteSchema).optional(),
  /** Absent: the built-in Pi loop. */
  runtime: agentRuntimeSchema.optional(),
  /** Unfinished work of an attempt that waited for an answer; its commits are in the bundle of GET /bundle/resolve. */
  upon: parkedWorkSchema.optional(),
  /** Questions of earlier attempts with their answers. */
  answers: z.array(answeredQuestionSchema).max(MAX_ANSWERS).optional(),
});
export type Assignment = z.infer<typeof assignmentSchema>;
