import { z } from "zod";
import { clippedText } from "../bounded.ts";
import { heardNoteSchema, noteSchema } from "../note.ts";
import { idSchema } from "../ids.ts";
import { eventSchema } from "./about.ts";

/** `taskId` null: to all tasks of the feature. */
export const noteSaid = eventSchema(
  "note.said",
  "feature",
  z.object({ note: noteSchema, taskId: idSchema.nullable() }),
);

/** A note that no agent will hear: its task or its feature has ended, or there are too many. */
export const noteRefused = eventSchema(
  "note.refused",
  "feature",
  z.object({
    note: noteSchema,
    taskId: idSchema.nullable(),
    why: clippedText(1_000),
  }),
);

export const noteHeard = eventSchema("note.heard", "attempt", heardNoteSchema);
