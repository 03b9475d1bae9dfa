import type { DomainEvent, Note } from "@agentswarm/contracts";
import type { NotesView } from "./views.ts";

/** What is kept of the attempts that heard one note: the newest. */
const HEARD_KEPT = 50;
/** Notes that nobody will hear are shown, too: the newest. */
const REFUSED_KEPT = 100;

export const NO_NOTES_YET: NotesView = { said: [], heard: {} };

/** The document with the notes to all tasks of a feature. */
export const notesOfFeature = (id: string) => `feature/${id}`;
/** The document with the notes to a task, and with what its attempts heard of the feature's. */
export const notesOfTask = (id: string) => `task/${id}`;

/** Ids of the documents that an event about notes may change; none for another event. */
export function notesDocumentsOf(event: DomainEvent): string[] {
  switch (event.type) {
    case "note.said":
    case "note.refused": {
      const { taskId } = event.data;
      return [taskId === null ? notesOfFeature(event.featureId) : notesOfTask(taskId)];
    }
    case "note.heard":
      return [notesOfFeature(event.featureId), notesOfTask(event.taskId)];
    default:
      return [];
  }
}

/**
 * A document of notes after an event. What was heard is kept in the documents of the feature and of the task, for the
 * event does not say to which of them the note was said, and may come before it.
 */
export function projectNotes(view: NotesView, event: DomainEvent): NotesView {
  switch (event.type) {
    case "note.said":
      return withNote(view, event.data.note, null);
    case "note.refused":
      return withNote(view, event.data.note, event.data.why);
    case "note.heard": {
      const { noteId, turn } = event.data;
      const before = view.heard[noteId] ?? [];
      const one = { taskId: event.taskId, attempt: event.attempt, turn, at: event.at };
      return { ...view, heard: { ...view.heard, [noteId]: [...before, one].slice(-HEARD_KEPT) } };
    }
    default:
      return view;
  }
}

function withNote(view: NotesView, note: Note, refused: string | null): NotesView {
  const all = [...view.said, { ...note, refused }];
  const dropped = all.filter((one) => one.refused !== null).slice(0, -REFUSED_KEPT);
  return { ...view, said: all.filter((one) => !dropped.includes(one)) };
}
