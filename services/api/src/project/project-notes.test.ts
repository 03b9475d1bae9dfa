import { domainEventSchema, type DomainEvent } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { NO_NOTES_YET, notesDocumentsOf, projectNotes } from "./project-notes.ts";

const note = (id: string) => ({ id, by: "ada", via: "cli", at: 1, text: `about ${id}`, mode: "steer" });
let sent = 0;
const event = (type: string, data: object, about: object = {}): DomainEvent => {
  sent += 1;
  const stamp = { id: `e${sent}`, at: sent, actor: "test", repoId: "main", featureId: "f" };
  return domainEventSchema.parse({ ...stamp, type, data, ...about });
};
const heard = (noteId: string, attempt: number) =>
  event("note.heard", { noteId, turn: 2 }, { taskId: "t", attempt });
const project = (...events: DomainEvent[]) => events.reduce(projectNotes, NO_NOTES_YET);

test("a note is kept with the attempts that heard it, in whichever order the events come", () => {
  const view = project(heard("n", 1), event("note.said", { note: note("n"), taskId: "t" }), heard("n", 2));
  expect(view.said).toMatchObject([{ id: "n", refused: null }]);
  expect(view.heard["n"]).toMatchObject([
    { taskId: "t", attempt: 1, turn: 2 },
    { taskId: "t", attempt: 2, turn: 2 },
  ]);
});

test("a refused note is shown with the reason, and only the newest of many are kept", () => {
  const refuse = (id: string) => event("note.refused", { note: note(id), taskId: null, why: "it is done" });
  const view = project(...Array.from({ length: 300 }, (_, nth) => refuse(`n${nth}`)));
  expect(view.said).toHaveLength(100);
  expect(view.said.at(-1)).toMatchObject({ id: "n299", refused: "it is done" });
});

test("of many attempts that heard a note the newest are kept", () => {
  const view = project(...Array.from({ length: 120 }, (_, nth) => heard("n", nth + 1)));
  expect(view.heard["n"]).toHaveLength(50);
  expect(view.heard["n"]?.at(-1)?.attempt).toBe(120);
});

test("an event names the documents of its task or its feature", () => {
  expect(notesDocumentsOf(event("note.said", { note: note("n"), taskId: null }))).toEqual(["feature/f"]);
  expect(notesDocumentsOf(event("note.said", { note: note("n"), taskId: "t" }))).toEqual(["task/t"]);
  expect(notesDocumentsOf(heard("n", 1))).toEqual(["feature/f", "task/t"]);
});
