import type { NoteDetail } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { formatNote } from "./format-note.ts";

const note: NoteDetail = {
  id: "n",
  by: "ada",
  via: "cli",
  at: Date.parse("2026-11-21T12:00:00Z"),
  text: "use b",
  mode: "steer",
  answers: null,
  taskId: null,
  refused: null,
  heard: [],
};

test.each([
  [{}, "to the feature: use b\n  not heard yet"],
  [
    { taskId: "t", heard: [{ taskId: "t", attempt: 2, turn: 3, at: 1 }] },
    "to t: use b\n  heard by t attempt 2, turn 3",
  ],
  [{ refused: "the feature is done" }, "to the feature: use b\n  refused: the feature is done"],
] as const)("a note is shown with who heard it (%#)", (change, shown) => {
  expect(formatNote({ ...note, ...change } as NoteDetail)).toBe(`2026-11-21 12:00:00  ada ${shown}`);
});
