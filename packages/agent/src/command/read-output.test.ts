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
