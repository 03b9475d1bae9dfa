import { z } from "zod";
import { handoffSchema } from "../handoff.ts";
import { objectIdSchema } from "../ids.ts";
import { progressSchema } from "../progress.ts";
import { sandboxFiguresSchema } from "../sandbox-figures.ts";
import { eventSchema } from "./about.ts";

export const attemptStarted = eventSchema(
  "attempt.started",
  "attempt",
  z.object({
    provider: z.string(),
    sandboxId: z.string(),
    baseCommit: objectIdSchema,
    round: z.int().min(1),
  }),
);

/** A sign of life; at most one a second for each attempt. */
export const attemptProgressed = eventSchema("attempt.progressed", "attempt", progressSchema);

/** The handoff, and what the attempt took beside its model; without figures when no sandbox was opened. */
export const attemptEnded = eventSchema(
  "attempt.ended",
  "attempt",
  handoffSchema.extend({
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
