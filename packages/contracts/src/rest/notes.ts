import { z } from "zod";
import { idSchema } from "../ids.ts";
import { NOTE_CHARS, noteModeSchema, noteSchema } from "../note.ts";
import { acceptedSchema } from "./features.ts";
import type { Route } from "./route.ts";

const params = z.object({ id: idSchema });

const body = z.object({
  text: z.string().trim().min(1).max(NOTE_CHARS),
  mode: noteModeSchema
    .default("steer")
    .describe(
      "When a running agent hears it: steer: after its running tool; next: when it hands over; interrupt: at once, its tool is ended",
    ),
});

/** That an agent's model was sent a note. */
export const hearingSchema = z.object({
  taskId: idSchema,
  attempt: z.int().min(1),
  turn: z.int().min(0).describe("The model's answers before it; 0: it was in the first prompt"),
  at: z.int().describe("Milliseconds since 1970, Redis time"),
});

export const noteDetailSchema = noteSchema.extend({
  taskId: idSchema.nullable().describe("null: to all tasks of the feature"),
  refused: z.string().nullable().describe("Why no agent will hear it; null: it was taken"),
  heard: z.array(hearingSchema).describe("By which attempts; the newest 50"),
});
export type NoteDetail = z.infer<typeof noteDetailSchema>;

export const noteListSchema = z.object({ notes: z.array(noteDetailSchema) });
export type NoteList = z.infer<typeof noteListSchema>;

const SAY = {
  method: "POST",
  needs: "submitter",
  needsForOthers: "reviewer",
  repeatable: false,
  params,
  body,
  status: 202,
  type: "application/json",
  response: acceptedSchema.describe("`id` is the note's"),
} as const;

const LIST = {
  method: "GET",
  needs: "viewer",
  repeatable: true,
  params,
  status: 200,
  type: "application/json",
  response: noteListSchema,
} as const;

export const NOTE_ROUTES = {
  sayToFeature: {
    ...SAY,
    path: "/v1/features/:id/notes",
    tag: "features",
    summary: "Say something to all agents of a feature, those that run and those that come later",
  },
  featureNotes: {
    ...LIST,
    path: "/v1/features/:id/notes",
    tag: "features",
    summary: "What was said to a feature, and which attempts heard it",
  },
  sayToTask: {
    ...SAY,
    path: "/v1/tasks/:id/notes",
    tag: "tasks",
    summary: "Say something to the agent of a task, the one that runs and those that come later",
  },
  taskNotes: {
    ...LIST,
    path: "/v1/tasks/:id/notes",
    tag: "tasks",
    summary: "What was said to a task and its feature, and which of the task's attempts heard it",
  },
} as const satisfies Record<string, Route>;
