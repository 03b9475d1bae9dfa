import { z } from "zod";
import { clippedText } from "../bounded.ts";
import { eventSchema } from "./about.ts";

/** A job that is not retried any more: a dead letter. It stays in its queue as failed. */
export const messageDeadLettered = eventSchema(
  "message.dead-lettered",
  "swarm",
  z.object({
    queue: clippedText(100),
    jobId: clippedText(500),
    code: clippedText(100).describe("The fault's code"),
    message: clippedText(2_000),
  }),
);
