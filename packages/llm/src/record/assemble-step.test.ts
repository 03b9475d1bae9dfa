import { expect, test } from "vitest";
import { assembleStep } from "./assemble-step.ts";

const chunk = (delta: object, finish_reason: string | null = null) => ({
  choices: [{ delta, finish_reason }],
});
const part = (index: number, call: { name?: string; arguments?: string }) =>
  chunk({ tool_calls: [{ index, function: call }] });

test("the fragments of a stream become one step without the reasoning", () => {
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
  expect(assembleStep(events)).toEqual({
    say: "I read.",
    calls: [
      { tool: "read", args: { path: "a" } },
      { tool: "ls", args: {} },
    ],
  });
});

test("an answer in one piece becomes the same step", () => {
  const tool_calls = [{ function: { name: "a", arguments: "{}" } }, { function: { name: "b" } }];
  const completion = { choices: [{ message: { content: null, tool_calls }, finish_reason: "tool_calls" }] };
  expect(assembleStep([completion])).toEqual({
    say: "",
    calls: [
      { tool: "a", args: {} },
      { tool: "b", args: {} },
    ],
  });
});

test("a truncated answer is no step", () => {
  expect(assembleStep([part(0, { name: "write", arguments: '{"pa' }), chunk({}, "length")])).toBeNull();
  expect(assembleStep([chunk({ content: "I" })])).toBeNull();
});
