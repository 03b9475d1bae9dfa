import { expect, test } from "vitest";
import { assembleTurn } from "./assemble-turn.ts";

const chunk = (delta: object, finish_reason: string | null = null) => ({
  choices: [{ delta, finish_reason }],
});
const part = (index: number, call: { name?: string; arguments?: string }) =>
  chunk({ tool_calls: [{ index, function: call }] });

test("a stream's fragments come together, calls apart from each other, thinking left out", () => {
  const events = [
    chunk({ role: "assistant", content: "", reasoning_content: "hm" }),
    chunk({ content: "I " }),
    chunk({ content: "read." }),
    part(0, { name: "read", arguments: '{"pa' }),
    part(1, { name: "ls" }),
    part(0, { arguments: 'th":"a"}' }),
    chunk({}, "tool_calls"),
    { choices: [], usage: {} },
  ];
  expect(assembleTurn(events)).toEqual({
    say: "I read.",
    calls: [
      { tool: "read", args: { path: "a" } },
      { tool: "ls", args: {} },
    ],
  });
});

test("an answer in one piece is no different", () => {
  const tool_calls = [{ function: { name: "a", arguments: "{}" } }, { function: { name: "b" } }];
  const completion = { choices: [{ message: { content: null, tool_calls }, finish_reason: "tool_calls" }] };
  expect(assembleTurn([completion])).toEqual({
    say: "",
    calls: [
      { tool: "a", args: {} },
      { tool: "b", args: {} },
    ],
  });
});

test("what was cut off is none", () => {
  expect(assembleTurn([part(0, { name: "write", arguments: '{"pa' }), chunk({}, "length")])).toBeNull();
  expect(assembleTurn([chunk({ content: "I" })])).toBeNull();
});
