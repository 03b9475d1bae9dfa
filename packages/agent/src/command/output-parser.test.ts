import { expect, test } from "vitest";
import { lineReader } from "./read-output.ts";

test("our own JSON lines tell session, texts, tool calls and errors; each call is a round", () => {
  const read = lineReader("jsonl");
  expect(read('{"type":"session","id":"s1"}')).toEqual([{ kind: "session", id: "s1" }]);
  expect(read('{"type":"text","text":"Hm."}')).toEqual([{ kind: "text", text: "Hm.", whole: true }]);
  expect(read('{"type":"tool","name":"ls","args":{"path":"."}}')).toEqual([
    { kind: "tool", name: "ls", args: { path: "." }, output: "" },
    { kind: "round" },
  ]);
  expect(read('{"type":"error","message":"no"}')).toEqual([{ kind: "error", message: "no" }]);
});

test("lines that are no JSON, or not of the kind, tell nothing", () => {
  for (const output of ["jsonl", "opencode"] as const) {
    const read = lineReader(output);
    for (const line of ["", "Loading…", "{half", "null", "[]", '"text"', '{"type":7}', '{"type":"text"}'])
      expect(read(line)).toEqual([]);
  }
});

test("a plain output is one message that grows, of which the end is kept", () => {
  const read = lineReader("plain");
  expect(read("One.")).toEqual([{ kind: "text", text: "One.\n", whole: false }]);
  expect(read("Two.")).toEqual([{ kind: "text", text: "One.\nTwo.\n", whole: false }]);
  const [event] = read("x".repeat(50_000));
  expect(event).toMatchObject({ text: `${"x".repeat(9_999)}\n` });
});

test("opencode's lines tell the session on each, finished texts and calls, and steps as rounds", () => {
  const read = lineReader("opencode");
  const line = (type: string, part: object) =>
    JSON.stringify({ type, timestamp: 1, sessionID: "ses_1", part });
  const session = { kind: "session", id: "ses_1" };
  const input = { filePath: "/work/repo/a", content: "a" };
  const done = { status: "completed", input, output: "Wrote file successfully.", title: "a" };
  expect(read(line("step_start", { type: "step-start" }))).toEqual([session]);
  expect(read(line("tool_use", { type: "tool", tool: "write", callID: "1", state: done }))).toEqual([
    session,
    { kind: "tool", name: "write", args: input, output: "Wrote file successfully." },
  ]);
  const failed = { status: "error", input, error: "not allowed" };
  expect(read(line("tool_use", { type: "tool", tool: "write", state: failed }))).toContainEqual(
    expect.objectContaining({ output: "not allowed" }),
  );
  expect(read(line("text", { type: "text", text: "Done." }))).toEqual([
    session,
    { kind: "text", text: "Done.", whole: true },
  ]);
  expect(read(line("step_finish", { reason: "stop" }))).toEqual([session, { kind: "round" }]);
  const error = { name: "APIError", data: { message: "no such model" } };
  expect(read(JSON.stringify({ type: "error", sessionID: "ses_1", error }))).toEqual([
    session,
    { kind: "error", message: JSON.stringify(error) },
  ]);
});

test("a call without arguments is a call", () => {
  expect(lineReader("jsonl")('{"type":"tool","name":"ls"}')[0]).toMatchObject({ kind: "tool", name: "ls" });
});
