import { expect, test } from "vitest";
import { fillPrompt } from "./render-prompt.ts";

const TEXT = "---\nvariables: [who]\n---\nHello {{who}}, {{who}}!\n";

test("declared variables are filled once, whatever they contain", () => {
  expect(fillPrompt("hello.md", TEXT, { who: "{{who}} $1" })).toBe("Hello {{who}} $1, {{who}} $1!");
});

test("a missing, unknown or undeclared variable is an error that names file and variable", () => {
  expect(() => fillPrompt("hello.md", TEXT, {})).toThrow("hello.md: variable who was not given");
  expect(() => fillPrompt("hello.md", TEXT, { who: "x", why: "y" })).toThrow("hello.md has no variable why");
  const undeclared = "---\nvariables: []\n---\n{{who}}";
  expect(() => fillPrompt("hello.md", undeclared, { who: "x" })).toThrow("variable who is not declared");
  expect(() => fillPrompt("hello.md", "no front matter", {})).toThrow("hello.md has no front matter");
});
