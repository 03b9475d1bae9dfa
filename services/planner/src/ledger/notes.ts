import {
  MAX_NOTES,
  type EventToSend,
  type Handoff,
  type Note,
  type PlanMessage,
} from "@agentswarm/contracts";
import { recordsById } from "./events-between.ts";
import { answerNotes } from "./questions.ts";
import { standIn } from "./find-tasks.ts";
import { hasEnded, withRecord, type Ledger } from "./ledger.ts";
import type { TaskRecord } from "./task-record.ts";

/** What people say to agents, as pure steps of the ledger and as decisions about it. */

type NoteMessage = Extract<PlanMessage, { kind: "note" }>;

/**
 * Keeps a note with its task, or with the feature for all of its tasks. A note to a task that was superseded is for the
 * task in its place. One that no agent can hear, or beyond MAX_NOTES, is refused with a `note.refused` that says why.
 */
export function takeNote(ledger: Ledger, { taskId, note }: Pick<NoteMessage, "taskId" | "note">): Ledger {
  const record = taskId === null ? null : standIn(ledger, taskId);
  const kept = record?.notes ?? ledger.notes;
  if (kept.some(({ id }) => id === note.id)) return ledger;
  const why = whyRefused(ledger, taskId, record, kept);
  if (why !== null) return refuse(ledger, note, taskId, why);
  const notes = [...kept, note];
  return record === null ? { ...ledger, notes } : withRecord(ledger, record.task.id, { notes });
}

function whyRefused(
  ledger: Ledger,
  taskId: string | null,
  record: TaskRecord | null,
  kept: readonly Note[],
): string | null {
  if (taskId !== null && record === null) return `feature ${ledger.feature.id} has no task ${taskId}`;
  if (hasEnded(ledger) && ledger.status !== "failed")
    return `the feature is ${ledger.status}: no agent works on it any more`;
  if (record?.status === "landed" || record?.status === "cancelled")
    return `task ${record.task.id} is ${record.status}: no agent works on it any more`;
  if (kept.length >= MAX_NOTES)
    return `there are ${MAX_NOTES} notes already; say the rest to another task, or submit a new feature`;
  return null;
}

function refuse(ledger: Ledger, note: Note, taskId: string | null, why: string): Ledger {
  const { id: featureId, repoId } = ledger.feature;
  const event: EventToSend = {
    id: `note-refused-${note.id}`,
    type: "note.refused",
    repoId,
    featureId,
    data: { note, taskId, why },
  };
  return { ...ledger, pending: [...ledger.pending, { kind: "emit", event }] };
}

/**
 * The ledger with what the messages of its new rounds carry at least: every note so far. An agent of a new round knows nothing of
 * what an earlier one heard.
 */
export function markTold(before: Ledger | null, after: Ledger): Ledger {
  const olds = recordsById(before);
  const feature = after.notes.length;
  const tasks = after.tasks.map((record) => {
    const task = record.notes.length;
    if (feature + task === 0 || record.round === (olds.get(record.task.id)?.round ?? 0)) return record;
    return { ...record, notesSent: { feature, task } };
  });
  return tasks.some((record, nth) => record !== after.tasks[nth]) ? { ...after, tasks } : after;
}

/** Everything that people said to the agents of a task. */
export function notesOf({ notes }: Pick<Ledger, "notes">, { notes: own }: Pick<TaskRecord, "notes">): Note[] {
  return inOrder([...notes, ...own]);
}

/** What was said and answered since the message of the task's current round was made. */
export function notesSince({ notes }: Pick<Ledger, "notes">, record: TaskRecord): Note[] {
  const { notesSent, notes: own } = record;
  return inOrder([...notes.slice(notesSent.feature), ...own.slice(notesSent.task), ...answerNotes(record)]);
}

function inOrder(notes: Note[]): Note[] {
  return notes.toSorted((a, b) => a.at - b.at);
}

/** Ids of the notes that attempts of this task heard, with those of one more. */
export function withHeard(ledger: Ledger, record: TaskRecord, heard: Handoff["heard"] = []): string[] {
  const known = new Set([...ledger.notes, ...record.notes].map(({ id }) => id));
  const news = heard.map(({ noteId }) => noteId).filter((id) => known.has(id));
  return [...new Set([...record.heard, ...news])];
}
