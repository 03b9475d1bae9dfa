import { expect, test } from "vitest";
import { createOutputParser } from "./output-parser.ts";

test("jsonl gives session, texts, tool calls and errors, and each call ends a turn", () => {
  const parse = createOutputParser("jsonl");
  expect(parse('{"type":"session","id":"s1"}')).toEqual([{ kind: "session", id: "s1" }]);
  expect(parse('{"type":"text","text":"Hm."}')).toEqual([{ kind: "text", text: "Hm.", whole: true }]);
  expect(parse('{"type":"tool","name":"ls","args":{"path":"."}}')).toEqual([
    { kind: "tool", name: "ls", args: { path: "." }, output: "" },
    { kind: "turn-end" },
  ]);
  expect(parse('{"type":"error","message":"no"}')).toEqual([{ kind: "error", message: "no" }]);
});

test("lines that are not JSON or do not fit the format give no events", () => {
  for (const output of ["jsonl", "opencode"] as const) {
    const parse = createOutputParser(output);
    for (const line of ["", "Loading…", "{half", "null", "[]", '"text"', '{"type":7}', '{"type":"text"}'])
      expect(parse(line)).toEqual([]);
  }
});

test("plain output is one growing message, of which the end is kept", () => {
  const parse = createOutputParser("plain");
  expect(parse("One.")).toEqual([{ kind: "text", text: "One.\n", whole: false }]);
  expect(parse("Two.")).toEqual([{ kind: "text", text: "One.\nTwo.\n", whole: false }]);
  const [event] = parse("x".repeat(50_000));
  expect(event).toMatchObject({ text: `${"x".repeat(9_999)}\n` });
});

test("opencode gives the session with each line, finished texts and calls, and a turn per step", () => {
  const parse = createOutputParser("opencode");
  const line = (type: string, part: object) =>
    JSON.stringify({ type, timestamp: 1, sessionID: "ses_1", part });
  const session = { kind: "session", id: "ses_1" };
  const input = { filePath: "/work/repo/a", content: "a" };
  const done = { status: "completed", input, output: "Wrote file successfully.", title: "a" };
  expect(parse(line("step_start", { type: "step-start" }))).toEqual([session]);
  expect(parse(line("tool_use", { type: "tool", tool: "write", callID: "1", state: done }))).toEqual([
    session,
    { kind: "tool", name: "write", args: input, output: "Wrote file successfully." },
  ]);
  const failed = { status: "error", input, error: "not allowed" };
  expect(parse(line("tool_use", { type: "tool", tool: "write", state: failed }))).toContainEqual(
    expect.objectContaining({ output: "not allowed" }),
  );
  expect(parse(line("text", { type: "text", text: "Done." }))).toEqual([
    session,
    { kind: "text", text: "Done.", whole: true },
  ]);
  expect(parse(line("step_finish", { reason: "stop" }))).toEqual([session, { kind: "turn-end" }]);
  const error = { name: "APIError", data: { message: "no such model" } };
  expect(parse(JSON.stringify({ type: "error", sessionID: "ses_1", error }))).toEqual([
    session,
    { kind: "error", message: JSON.stringify(error) },
  ]);
});

test("a tool call may have no arguments", () => {
  expect(createOutputParser("jsonl")('{"type":"tool","name":"ls"}')[0]).toMatchObject({
    kind: "tool",
    name: "ls",
  });
});
