import { z } from "zod";
import { heardNoteSchema, noteSchema } from "../note.ts";
import { idSchema } from "../ids.ts";
import { eventSchema } from "./about.ts";

/** `taskId` null: to all tasks of the feature. */
export const noteSaid = eventSchema(
  "note.said",
  "feature",
  z.object({ note: noteSchema, taskId: idSchema.nullable() }),
);

export const noteHeard = eventSchema("note.heard", "attempt", heardNoteSchema);
