import { z } from "zod";
import { eventSchema } from "./about.ts";

/** A job that is not retried any more: a dead letter. It stays in its queue as failed. */
export const messageDeadLettered = eventSchema(
  "message.dead-lettered",
  "swarm",
  z.object({
    queue: z.string(),
    jobId: z.string(),
    code: z.string().describe("The fault's code"),
    message: z.string().max(2_000),
  }),
);
