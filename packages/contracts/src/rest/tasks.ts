import { z } from "zod";
import { handoffSchema } from "../handoff.ts";
import { idSchema, objectIdSchema } from "../ids.ts";
import { taskSchema, taskStatusSchema } from "../task.ts";
import { costSchema } from "./cost.ts";
import { acceptedSchema, whyBodySchema } from "./features.ts";
import { waitingSchema } from "./waiting.ts";
import type { Route } from "./route.ts";

/** What an answer with a diff holds. */
const DIFF =
  "Lines that begin with `# ` (task, base, head, what is left out), `git diff --numstat`, and the patch. For looking, not for applying: keys are masked, hidden characters are written as \\u{…}";

const params = z.object({ id: idSchema });

/** An attempt by its events; null where the event has not arrived yet. */
export const attemptDetailSchema = z.object({
  attempt: z.int().min(1),
  round: z.int().nullable(),
  startedAt: z.int().nullable(),
  endedAt: z.int().nullable(),
  sandboxId: z.string().nullable(),
  baseCommit: z.string().nullable(),
  handoff: handoffSchema.nullable(),
  outcome: z.record(z.string(), z.unknown()).nullable().describe("How its landing ended"),
  cost: costSchema,
});
export type AttemptDetail = z.infer<typeof attemptDetailSchema>;

/** A task with its attempts, without the survey that its agent gets. */
export const taskDetailSchema = taskSchema.omit({ context: true }).extend({
  status: taskStatusSchema,
  reason: z.string().nullable(),
  round: z.int().min(0).describe("How often the task was sent"),
  attemptsUsed: z.int().min(0).describe("Attempts that count against attemptBudget"),
  supersededBy: z.string().nullable().describe("The task that takes its place after a conflict"),
  commit: z.string().nullable().describe("The commit on the trunk"),
  commits: z.array(z.string()),
  heldCommit: objectIdSchema.nullable().describe("The commit that waits for a person's approval"),
  waiting: waitingSchema.nullable().describe("Why it does not go on; null while it does"),
  attempts: z.array(attemptDetailSchema),
});
export type TaskDetail = z.infer<typeof taskDetailSchema>;

const decisionBody = z
  .object({
    head: objectIdSchema
      .optional()
      .describe(
        "The task's heldCommit that was looked at; 409 when another is held. Default: the one held now",
      ),
    reason: z.string().max(2_000).optional(),
  })
  .nullish();

const COMMAND = {
  method: "POST",
  tag: "tasks",
  needs: "operator",
  repeatable: false,
  params,
  status: 202,
  type: "application/json",
  response: acceptedSchema,
} as const;

/** Decides for a person what lands: answers the task's open decision. */
const DECISION = {
  ...COMMAND,
  needs: "reviewer",
  headers: z.object({
    "if-match": z
      .string()
      .max(200)
      .optional()
      .describe("As `head`, in double quotes; 412 when another is held"),
  }),
} as const;

export const TASK_ROUTES = {
  getTask: {
    method: "GET",
    path: "/v1/tasks/:id",
    tag: "tasks",
    summary: "One task with its attempts",
    needs: "viewer",
    repeatable: true,
    params,
    status: 200,
    type: "application/json",
    response: taskDetailSchema,
  },
  getTranscript: {
    method: "GET",
    path: "/v1/tasks/:id/transcript",
    tag: "tasks",
    summary: "The conversation of agent and model, as JSON lines",
    needs: "viewer",
    repeatable: true,
    params,
    query: z.object({
      attempt: z.coerce.number<number | string>().int().min(1).optional().describe("Default: the newest"),
    }),
    status: 200,
    type: "application/x-ndjson",
    response: z.string().describe("One JSON object a line"),
  },
  getAttemptDiff: {
    method: "GET",
    path: "/v1/tasks/:id/attempts/:attempt/diff",
    tag: "tasks",
    summary: "What an attempt changes; 404 while it has no commits, and once its diff was removed",
    needs: "viewer",
    repeatable: true,
    params: params.extend({ attempt: z.coerce.number<number | string>().int().min(1) }),
    status: 200,
    type: "text/x-diff",
    response: z.string().describe(DIFF),
  },
  retryTask: { ...COMMAND, path: "/v1/tasks/:id/retry", summary: "Retry a task that has ended" },
  cancelTask: {
    ...COMMAND,
    path: "/v1/tasks/:id/cancel",
    summary: "Cancel a task and what depends on it; the feature goes on",
    repeatable: true,
    body: whyBodySchema,
  },
  approveTask: {
    ...DECISION,
    path: "/v1/tasks/:id/approve",
    summary: "Approve a held task: its attempt lands",
    body: decisionBody,
  },
  refuseTask: {
    ...DECISION,
    path: "/v1/tasks/:id/refuse",
    summary: "Refuse a held task: its attempt does not land",
    body: decisionBody,
  },
} as const satisfies Record<string, Route>;
