import type { Note, NoteMode } from "@agentswarm/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openNoteBox } from "../../services/dispatcher/src/note-box.ts";
import { byCommand } from "./command-runtime.ts";
import { type AttemptLab, type AttemptOptions, openAttemptLab } from "./open-attempt-lab.ts";
import type { TranscriptMessage } from "./read-transcript.ts";
import { bash, DONE, steps, submit, write, writeHandoff } from "./replay-steps.ts";

let lab: AttemptLab;
beforeAll(async () => {
  lab = await openAttemptLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

const note = (text: string, mode: NoteMode = "steer"): Note => ({
  id: `note-${text.replaceAll(" ", "-")}`,
  by: "ada",
  via: "cli",
  at: 1,
  text,
  mode,
  answers: null,
});

/** Runs an attempt, and says something when it calls its first tool, or a while later. */
async function say(
  said: Note,
  options: AttemptOptions,
  { afterMs = 0, before = [] }: { afterMs?: number; before?: readonly Note[] } = {},
) {
  const notes = openNoteBox({ before });
  const run = await lab.attempt({
    ...options,
    notes,
    onProgress: () => {
      // The planner repeats what no attempt has reported yet.
      setTimeout(() => notes.add([said, said]), afterMs);
    },
  });
  return { ...run, heard: notes.heard() };
}

/** The roles of the conversation, with the texts of what people said. */
const course = (transcript: readonly TranscriptMessage[]) =>
  transcript
    .filter(({ role }) => role !== "system")
    .slice(1)
    .map(({ role, text }) => (role === "user" ? (/^ada: (.*)$/m.exec(text)?.[1] ?? "user") : role));

const heardOnce = (text: string, turn: number) => [{ noteId: note(text).id, turn }];

test("a note is in the model's next request, after the running tool, once", async () => {
  const { transcript, heard, result, raw } = await say(note("use b"), {
    steps: steps(bash("sleep 0.4; echo slept"), write("src/b.txt", "b\n"), submit("with b")),
  });
  expect(course(transcript)).toEqual([
    "assistant",
    "toolResult",
    "use b",
    "assistant",
    "toolResult",
    "assistant",
    "toolResult",
  ]);
  expect(transcript.find(({ role }) => role === "toolResult")?.text).toContain("slept");
  expect(heard).toEqual(heardOnce("use b", 1));
  expect(raw).toMatchObject({ heard });
  expect(result).toMatchObject({ outcome: "complete", summary: "with b" });
});

test("a note of the very turn of submit is not lost: the agent goes on with it", async () => {
  const { transcript, heard, result } = await say(note("use b"), {
    steps: [
      { calls: [bash("echo one > src/b.txt; sleep 0.4"), submit("I am blocked.", { outcome: "blocked" })] },
      ...steps(write("src/b.txt", "two\n"), submit("with b")),
    ],
  });
  expect(course(transcript).slice(-5)).toEqual([
    "use b",
    "assistant",
    "toolResult",
    "assistant",
    "toolResult",
  ]);
  expect(heard).toEqual(heardOnce("use b", 1));
  expect(result).toMatchObject({ end: "submitted", summary: "with b" });
});

test("a note that comes while the checks run is heard before the work is handed over", async () => {
  const attempt = {
    steps: [{ calls: [write("src/b.txt", "one\n"), submit("too early")] }, ...steps(submit("with b"))],
    checks: [{ name: "slow", command: "sleep 1", timeoutMs: 60_000 }],
  };
  const { result, heard } = await say(note("use b"), attempt, { afterMs: 300 });
  expect(result.summary).toBe("with b");
  expect(heard).toEqual(heardOnce("use b", 1));
});

test("an interrupting note ends the running tool, and the rest of the turn is not carried out", async () => {
  const since = performance.now();
  const { transcript, result } = await say(note("stop", "interrupt"), {
    steps: [
      { calls: [bash("sleep 30"), write("wrong.txt", "no\n")] },
      ...steps(write("src/b.txt", "b\n"), submit("done")),
    ],
  });
  expect(performance.now() - since).toBeLessThan(20_000);
  expect(course(transcript).slice(0, 5)).toEqual([
    "assistant",
    "toolResult",
    "toolResult",
    "stop",
    "assistant",
  ]);
  expect(transcript.filter(({ role }) => role === "toolResult")[1]?.text).toContain("interrupts you");
  expect(result).toMatchObject({ summary: "done", filesChanged: ["src/b.txt"] });
});

test("a note for the next prompt waits until the agent has handed over", async () => {
  const attempt = {
    steps: steps(bash("sleep 0.3"), write("src/b.txt", "b\n"), submit("one"), submit("two")),
  };
  const { transcript, heard, result } = await say(note("then this", "next"), attempt, {
    before: [note("use b")],
  });
  // What was said before the attempt is in its first prompt.
  expect(transcript.find(({ role }) => role === "user")?.text).toMatch(/## What people say[^#]*ada: use b/);
  expect(course(transcript).slice(-3)).toEqual(["then this", "assistant", "toolResult"]);
  expect(heard).toEqual([...heardOnce("use b", 0), ...heardOnce("then this", 3)]);
  expect(result.summary).toBe("two");
});

test("a program gets notes as its next prompt, and an interrupting one ends it first", async () => {
  const before = steps(bash("true"), bash("sleep 0.4"));
  const { transcript, heard, result } = await say(
    note("use b"),
    byCommand({
      steps: [...before, DONE],
      afterNote: [...before, ...steps(write("src/b.txt", "b\n"), writeHandoff({ summary: "with b" })), DONE],
    }),
  );
  expect(heard).toEqual(heardOnce("use b", 3));
  expect(transcript.filter(({ role }) => role === "user")[1]?.text).toContain("ada: use b");
  expect(result).toMatchObject({ end: "submitted", summary: "with b" });

  const interrupted = await say(
    note("stop", "interrupt"),
    byCommand({
      steps: [...steps(bash("true"), bash("sleep 30"))],
      afterNote: [...steps(write("src/b.txt", "b\n"), writeHandoff({ summary: "stopped" })), DONE],
    }),
  );
  expect(interrupted.result).toMatchObject({ end: "submitted", summary: "stopped" });
});
