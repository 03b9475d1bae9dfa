import { z } from "zod";
import { handoffSchema } from "../handoff.ts";
import { clippedText } from "../bounded.ts";
import { objectIdSchema } from "../ids.ts";
import { progressSchema } from "../progress.ts";
import { sandboxFiguresSchema } from "../sandbox-figures.ts";
import { eventSchema } from "./about.ts";

export const attemptStarted = eventSchema(
  "attempt.started",
  "attempt",
  z.object({
    provider: clippedText(200),
    sandboxId: clippedText(200),
    baseCommit: objectIdSchema,
    round: z.int().min(1),
  }),
);

/** A sign of life; at most one a second for each attempt. */
export const attemptProgressed = eventSchema("attempt.progressed", "attempt", progressSchema);

/**
 * The handoff and the figures of an attempt. An attempt that was held ends a second time when a person approves it: with
 * the round of that sending, and without figures, because no agent runs.
 */
export const attemptEnded = eventSchema(
  "attempt.ended",
  "attempt",
  handoffSchema.extend({
    sentTo: z
      .enum(["merge", "plan"])
      .optional()
      .describe("The queue that gets it: `merge` for work to land; absent when the task is delivered again"),
    sandbox: sandboxFiguresSchema
      .extend({ warm: z.boolean().describe("Its agent was loaded before the task came") })
      .optional(),
    sentToReadyMs: z
      .number()
      .nullable()
      .optional()
      .describe("From the sending of the task until its loaded agent had it"),
    sentToWorkMs: z
      .number()
      .nullable()
      .optional()
      .describe("From the sending of the task until its agent first asked the model"),
  }),
);
