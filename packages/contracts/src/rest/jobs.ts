import { z } from "zod";
import { QUEUE_NAMES } from "../queues.ts";
import type { Route } from "./route.ts";

const queueNameSchema = z.enum(QUEUE_NAMES);

/** A failed job: a dead letter, or a job that was cancelled while it was active. */
export const failedJobSummarySchema = z.object({
  queue: queueNameSchema,
  id: z.string(),
  reason: z.string().describe("`<fault code>: <message>`"),
  failedAt: z.int().nullable().describe("Milliseconds since 1970, by the worker's clock"),
  attempts: z.int().min(0).describe("How often the job was started"),
});
export type FailedJobSummary = z.infer<typeof failedJobSummarySchema>;

export const JOB_ROUTES = {
  listJobs: {
    method: "GET",
    path: "/v1/jobs",
    tag: "jobs",
    summary: "Failed jobs of all queues, newest first",
    needs: "viewer",
    repeatable: true,
    query: z.object({
      state: z.literal("failed").default("failed"),
      queue: queueNameSchema.optional(),
      limit: z.coerce.number<number | string>().int().min(1).max(1_000).default(100),
    }),
    status: 200,
    type: "application/json",
    response: z.object({ jobs: z.array(failedJobSummarySchema) }),
  },
  retryJob: {
    method: "POST",
    path: "/v1/jobs/:queue/:id/retry",
    tag: "jobs",
    summary: "Put a failed job back into its queue",
    needs: "operator",
    repeatable: false,
    params: z.object({ queue: queueNameSchema, id: z.string().min(1).max(300) }),
    status: 202,
    type: "application/json",
    response: z.object({ queue: queueNameSchema, id: z.string() }),
  },
} as const satisfies Record<string, Route>;
