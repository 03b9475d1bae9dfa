import { z } from "zod";
import { idSchema } from "./ids.ts";
import { actorSchema, viaSchema } from "./person.ts";

export const NOTE_CHARS = 4_000;
/** Number of notes that a task or a feature keeps; further ones are refused. */
export const MAX_NOTES = 100;

/**
 * When the agent hears a note. `steer`: in the model's next request, after the running tool. `next`: in the next prompt,
 * after its turn. `interrupt`: at once; the running tool is ended first.
 */
export const noteModeSchema = z.enum(["steer", "next", "interrupt"]);
export type NoteMode = z.infer<typeof noteModeSchema>;

/** What a person says to a feature's agents, or the answer to a question of an agent. */
export const noteSchema = z.object({
  id: idSchema,
  by: actorSchema,
  via: viaSchema,
  at: z.int().describe("Milliseconds since 1970, Redis time"),
  text: z.string().trim().min(1).max(NOTE_CHARS),
  mode: noteModeSchema,
  answers: idSchema
    .nullable()
    .default(null)
    .describe("The decision that it answers; null: a note of its own"),
});
export type Note = z.infer<typeof noteSchema>;

/** That an attempt's model was sent a note. */
export const heardNoteSchema = z.object({
  noteId: idSchema,
  turn: z.int().min(0).describe("The model's answers before it"),
});
export type HeardNote = z.infer<typeof heardNoteSchema>;
