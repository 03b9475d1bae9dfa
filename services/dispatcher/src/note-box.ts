import { INBOX_WAIT_MS, type HeardNote, type inboxSchema, type Note } from "@agentswarm/contracts";
import type { z } from "zod";

export type Inbox = z.infer<typeof inboxSchema>;

/** What people say to the agent of one attempt, and what its model was sent of it. */
export interface NoteBox {
  /** What was said before the attempt: a part of its assignment. */
  readonly before: readonly Note[];
  /** Adds what is said now. A note that is known changes nothing: the planner repeats what no attempt has heard. */
  add(notes: readonly Note[]): void;
  /**
   * The notes after number `after`, as soon as there are any. Null when there are none for a while, when another request
   * takes the place of this one, or once `gone` is aborted.
   */
  next(after: number, gone: AbortSignal): Promise<Inbox | null>;
  /** Keeps that the model was sent a note. False for a note that nobody said; a second report changes nothing. */
  hear(one: HeardNote): boolean;
  /** The notes that its model was sent. */
  heard(): HeardNote[];
}

interface NoteBoxOptions {
  readonly before: readonly Note[];
  /** Called once for each note that the model was sent. */
  readonly onHeard?: (one: HeardNote) => void;
  /** Milliseconds that a request waits for notes. */
  readonly waitMs?: number;
  /** Milliseconds that a request waits which asks again for notes that it was given: an agent may ask in a loop. */
  readonly repeatMs?: number;
}

/** Notes in one answer: 160 KB at most. */
const BATCH = 10;
const REPEAT_MS = 1_000;

export function openNoteBox(options: NoteBoxOptions): NoteBox {
  const { before, onHeard, waitMs = INBOX_WAIT_MS, repeatMs = REPEAT_MS } = options;
  const known = new Set(before.map(({ id }) => id));
  const said: Note[] = [];
  const heard = new Map<string, HeardNote>();
  /** Numbers of the newest note that the agent has acknowledged, and that it was given. */
  let [acknowledged, given] = [0, 0];
  let waiting: { wake(): void; end(): void } | null = null;

  const batch = (): Inbox | null => {
    const notes = said.slice(acknowledged, acknowledged + BATCH);
    if (notes.length === 0) return null;
    given = acknowledged + notes.length;
    return { notes, upTo: given };
  };

  return {
    before,
    add(notes) {
      for (const note of notes) {
        if (known.has(note.id)) continue;
        known.add(note.id);
        said.push(note);
      }
      if (said.length > acknowledged) waiting?.wake();
    },
    next(after, gone) {
      waiting?.end();
      acknowledged = Math.max(acknowledged, Math.min(after, given));
      const { promise, resolve } = Promise.withResolvers<Inbox | null>();
      let repeat: NodeJS.Timeout | undefined;
      const timer = setTimeout(() => settle(null), waitMs);
      const settle = (answer: Inbox | null) => {
        clearTimeout(timer);
        clearTimeout(repeat);
        gone.removeEventListener("abort", end);
        waiting = null;
        resolve(answer);
      };
      const end = () => settle(null);
      const answer = () => settle(batch());
      const wake = () => {
        if (given === acknowledged) answer();
        else repeat ??= setTimeout(answer, repeatMs);
      };
      gone.addEventListener("abort", end);
      waiting = { wake, end };
      if (gone.aborted) end();
      else if (said.length > acknowledged) wake();
      return promise;
    },
    hear(one) {
      if (!known.has(one.noteId)) return false;
      if (heard.has(one.noteId)) return true;
      heard.set(one.noteId, one);
      onHeard?.(one);
      return true;
    },
    heard: () => [...heard.values()],
  };
}
