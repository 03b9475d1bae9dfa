import { z } from "zod";
import { objectIdSchema } from "../ids.ts";
import { taskSchema, taskStatusSchema } from "../task.ts";
import { clippedText } from "../bounded.ts";
import { eventSchema } from "./about.ts";

/** Without the survey, which is large and of no use to people. */
export const taskPlanned = eventSchema("task.planned", "task", taskSchema.omit({ context: true }));

export const taskSent = eventSchema("task.sent", "task", z.object({ round: z.int().min(1) }));

export const taskChanged = eventSchema(
  "task.changed",
  "task",
  z.object({
    status: taskStatusSchema,
    reason: clippedText(10_000).nullable(),
    round: z.int().min(0),
    attemptsUsed: z.int().min(0),
    supersededBy: clippedText(64).nullable(),
    heldCommit: objectIdSchema.nullable().optional().describe("The commit that waits for approval"),
  }),
);
