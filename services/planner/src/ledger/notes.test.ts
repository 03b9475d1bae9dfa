import { MAX_NOTES, type HeardNote, type Note } from "@agentswarm/contracts";
import { expect, test } from "vitest";
import { absorb, apply, building, byKey, handoffOf, OUTCOMES, planned } from "../../testing/make-ledger.ts";
import type { Effect } from "./effect.ts";
import type { Ledger } from "./ledger.ts";
import { notesOf, notesSince, takeNote } from "./notes.ts";

const note = (id: string, at = 1): Note => ({
  id,
  by: "ada",
  via: "rest",
  at,
  text: `about ${id}`,
  mode: "steer",
  answers: null,
});
const say = (ledger: Ledger, key: string | null, ...notes: Note[]) =>
  notes.reduce((now, one) => {
    const taskId = key === null ? null : byKey(now, key).task.id;
    return apply(now, (step) => takeNote(step, { taskId, note: one }));
  }, ledger);
const ids = (notes: readonly Note[]) => notes.map(({ id }) => id);
const newEffects = (before: Ledger, after: Ledger) => after.pending.slice(before.pending.length);
const eventsOf = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === "emit" ? [effect.event] : []));
const signalsOf = (effects: readonly Effect[]) => effects.filter(({ kind }) => kind === "signal");
const two = () => building([planned("a"), planned("b")]);

test("a note to a running task is kept, signalled to its attempt and shown to people, once", () => {
  const before = two();
  const after = say(before, "a", note("n"));
  const { id } = byKey(after, "a").task;
  expect(byKey(after, "a").notes).toEqual([note("n")]);
  expect(signalsOf(newEffects(before, after))).toEqual([{ kind: "signal", taskId: id, noteIds: ["n"] }]);
  expect(eventsOf(newEffects(before, after))).toEqual([
    expect.objectContaining({
      id: "note-said-n",
      type: "note.said",
      data: { note: note("n"), taskId: id },
    }),
  ]);
  expect(say(after, "a", note("n"))).toBe(after);
});

test("a note to the feature is signalled to all of its running tasks", () => {
  const before = two();
  const after = say(before, null, note("n"));
  expect(after.notes).toEqual([note("n")]);
  expect(signalsOf(newEffects(before, after))).toEqual([{ kind: "signal", taskId: null, noteIds: ["n"] }]);
});

test("the next round and tasks that are sent later get every note, because their agents know nothing of it", () => {
  const heard: HeardNote[] = [{ noteId: "n", turn: 3 }];
  const ledger = say(say(building([planned("a"), planned("b", "a")]), "a", note("n", 1)), null, note("f", 2));
  expect(ids(notesSince(ledger, byKey(ledger, "a")))).toEqual(["n", "f"]);
  const failed = handoffOf(byKey(ledger, "a"), 1, {
    end: "failed",
    outcome: "failed",
    headCommit: null,
    heard,
  });
  const again = absorb(ledger, failed, null);
  expect(byKey(again, "a")).toMatchObject({ round: 2, heard: ["n"] });
  expect(ids(notesOf(again, byKey(again, "a")))).toEqual(["n", "f"]);
  expect(notesSince(again, byKey(again, "a"))).toEqual([]);
  const landed = absorb(again, handoffOf(byKey(again, "a"), 2), OUTCOMES.landed);
  expect(byKey(landed, "b")).toMatchObject({ status: "sent", notesSent: { feature: 1, task: 0 } });
  expect(ids(notesOf(landed, byKey(landed, "b")))).toEqual(["f"]);
  // What is said from now on is signalled again.
  const later = say(landed, "b", note("late", 3));
  expect(ids(notesSince(later, byKey(later, "b")))).toEqual(["late"]);
});

test("the task that takes the place of another gets what was said to it, before and after", () => {
  const ledger = say(two(), "a", note("n"));
  const conflict = absorb(ledger, handoffOf(byKey(ledger, "a"), 1), OUTCOMES.conflict);
  const { id } = byKey(ledger, "a").task;
  const after = apply(conflict, (now) => takeNote(now, { taskId: id, note: note("m", 2) }));
  expect(ids(byKey(after, "a-resolve").notes)).toEqual(["n", "m"]);
  expect(eventsOf(newEffects(ledger, conflict)).some(({ type }) => type === "note.said")).toBe(false);
});

test("a note that no agent can hear is refused with the reason", () => {
  const ledger = absorb(two(), handoffOf(byKey(two(), "a"), 1), OUTCOMES.landed);
  const landed = say(ledger, "a", note("n"));
  expect(byKey(landed, "a").notes).toEqual([]);
  expect(eventsOf(newEffects(ledger, landed))).toEqual([
    expect.objectContaining({
      id: "note-refused-n",
      type: "note.refused",
      data: expect.objectContaining({ note: note("n"), why: expect.stringContaining("is landed") }),
    }),
  ]);
  const many = say(two(), "b", ...Array.from({ length: MAX_NOTES }, (_, nth) => note(`n${nth}`)));
  const more = say(many, "b", note("too-many"));
  expect(byKey(more, "b").notes).toHaveLength(MAX_NOTES);
  expect(eventsOf(newEffects(many, more))).toMatchObject([
    { type: "note.refused", data: { why: expect.stringContaining(`${MAX_NOTES} notes`) } },
  ]);
  const nowhere = apply(two(), (now) => takeNote(now, { taskId: "no-such-task", note: note("n") }));
  expect(eventsOf(newEffects(two(), nowhere))).toMatchObject([{ type: "note.refused" }]);
});

test("an attempt cannot claim to have heard what nobody said", () => {
  const ledger = say(two(), "a", note("n"));
  const heard: HeardNote[] = [
    { noteId: "n", turn: 1 },
    { noteId: "made-up", turn: 1 },
  ];
  const after = absorb(ledger, handoffOf(byKey(ledger, "a"), 1, { heard }), OUTCOMES.landed);
  expect(byKey(after, "a").heard).toEqual(["n"]);
});
