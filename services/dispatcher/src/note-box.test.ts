import type { Note } from "@agentswarm/contracts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openNoteBox } from "./note-box.ts";

const note = (id: string): Note => ({
  id,
  by: "ada",
  via: "rest",
  at: 1,
  text: `about ${id}`,
  mode: "steer",
  answers: null,
});
const here = new AbortController().signal;
const ids = (inbox: { notes: readonly Note[]; upTo: number } | null) => inbox?.notes.map(({ id }) => id);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a request waits until somebody says something", async () => {
  const box = openNoteBox({ before: [] });
  const asked = box.next(0, here);
  box.add([note("a")]);
  expect(await asked).toEqual({ notes: [note("a")], upTo: 1 });
});

test("each note is handed out once, whatever the planner repeats", async () => {
  const box = openNoteBox({ before: [note("before")] });
  box.add([note("before"), note("a"), note("b"), note("a")]);
  const first = await box.next(0, here);
  expect(ids(first)).toEqual(["a", "b"]);
  box.add([note("a"), note("c")]);
  expect(ids(await box.next(first?.upTo ?? 0, here))).toEqual(["c"]);
});

test("an answer that got lost is given again, but only after a while", async () => {
  const box = openNoteBox({ before: [], repeatMs: 1_000 });
  box.add([note("a")]);
  expect(ids(await box.next(0, here))).toEqual(["a"]);
  let answers = 0;
  const again = box.next(0, here);
  void again.then(() => (answers += 1));
  await vi.advanceTimersByTimeAsync(999);
  expect(answers).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(ids(await again)).toEqual(["a"]);
});

test("an agent that asks in a loop without reading gets one answer a second, and has one request open", async () => {
  const box = openNoteBox({ before: [] });
  box.add([note("a")]);
  let [answered, empty] = [0, 0];
  for (let nth = 0; nth < 1_000; nth += 1) {
    void box.next(0, here).then((inbox) => (inbox === null ? (empty += 1) : (answered += 1)));
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(answered).toBe(1);
  expect(empty).toBe(998);
  expect(vi.getTimerCount()).toBe(2);
});

test("an agent cannot acknowledge notes that it was not given", async () => {
  const box = openNoteBox({ before: [] });
  const asked = box.next(1_000_000, here);
  box.add([note("a")]);
  expect(ids(await asked)).toEqual(["a"]);
});

test("a request ends without notes after a while, and when its agent is gone", async () => {
  const box = openNoteBox({ before: [], waitMs: 25_000 });
  const late = box.next(0, here);
  await vi.advanceTimersByTimeAsync(25_000);
  expect(await late).toBeNull();
  const gone = new AbortController();
  const left = box.next(0, gone.signal);
  gone.abort();
  expect(await left).toBeNull();
  expect(await box.next(0, AbortSignal.abort())).toBeNull();
  expect(vi.getTimerCount()).toBe(0);
  // Nothing was lost meanwhile.
  box.add([note("a")]);
  expect(ids(await box.next(0, here))).toEqual(["a"]);
});

test("only what was said can be heard, and each note once", () => {
  const events: unknown[] = [];
  const box = openNoteBox({ before: [note("before")], onHeard: (one) => events.push(one) });
  box.add([note("a")]);
  const hear = (noteId: string, turn: number) => box.hear({ noteId, turn });
  expect([hear("before", 0), hear("a", 3), hear("a", 4), hear("made-up", 5)]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(box.heard()).toEqual([
    { noteId: "before", turn: 0 },
    { noteId: "a", turn: 3 },
  ]);
  expect(events).toEqual(box.heard());
});
