import { expect, test } from "vitest";
import { parseScenario } from "./scenario.ts";

const parse = (text: string) => parseScenario("crafting.yaml", text);

test("a file is a list of entries in one or more documents", () => {
  const entries = parse(`
- { key: a/-/plan, answer: { tasks: [] } }
---
- key: a/b/work
  steps: [{ calls: [{ tool: ls, args: {} }] }, { say: bye }]
`);
  expect(entries.map((entry) => entry.key)).toEqual(["a/-/plan", "a/b/work"]);
  expect(entries[1]?.steps?.map((step) => [step.say, step.calls.length])).toEqual([
    ["", 1],
    ["bye", 0],
  ]);
  expect(parse("")).toEqual([]);
  expect(parse("- { key: a/-/accept, answer: null }")).toHaveLength(1);
});

// Each error names the file, the entry and the field.
test.each([
  ["an unknown field", "- { key: a/b/work, answers: 1, answer: 1 }", "a/b/work", "answers"],
  [
    "an unknown kind of fault",
    "- { key: a/b/work, answer: 1, injectFault: { kind: sulk } }",
    "a/b/work",
    "kind",
  ],
  [
    "zero repetitions",
    "- { key: a/b/work, answer: 1, injectFault: { kind: loop, times: 0 } }",
    "a/b/work",
    "times",
  ],
  ["a call without a tool", "- { key: a/b/work, steps: [{ calls: [{ args: {} }] }] }", "a/b/work", "tool"],
  [
    "arguments that are not a map",
    "- { key: a/b/work, steps: [{ calls: [{ tool: x, args: [] }] }] }",
    "a/b/work",
    "args",
  ],
  ["a key of two parts", "- { key: a/work, answer: 1 }", "a/work", "<feature slug>/<task key>/<role>"],
  ["no key", "- { key: a/b/work, answer: 1 }\n- { answer: 1 }", "entry 2", "key"],
  ["no answer", "- { key: a/b/work }", "a/b/work", "either steps"],
  ["two kinds of answer", "- { key: a/b/work, answer: 1, steps: [] }", "a/b/work", "either steps"],
  ["an invalid pattern", '- { key: a/b/work, answer: 1, match: "(" }', "a/b/work", "match"],
  ["an entry that is not a map", "- just text", "entry 1", "expected object"],
])("%s is an error that names file, entry and field", (_, text, entry, field) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ code: "config.invalid", message: expect.stringMatching(/^crafting\.yaml, /) }),
  );
  expect(() => parse(text)).toThrow(entry);
  expect(() => parse(text)).toThrow(field);
});

test.each([
  ["broken YAML", "- { key: a/b/work\n- ["],
  ["an alias of nothing", "- { key: a/b/work, answer: *nothing }"],
  ["a map instead of a list", "key: a/b/work\nanswer: 1\n"],
])("%s is an error that names the file", (_, text) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ code: "config.invalid", message: expect.stringMatching(/^crafting\.yaml: /) }),
  );
});
