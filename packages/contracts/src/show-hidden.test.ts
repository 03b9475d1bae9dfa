import { expect, test } from "vitest";
import { showHidden } from "./show-hidden.ts";

test.each([
  ["an escape sequence", "a\u001b]0;title\u0007b", "a\\u{1b}]0;title\\u{7}b"],
  ["a carriage return inside a line", "evil()\rgood", "evil()\\u{d}good"],
  ["marks of direction", "if (\u202e\u2066admin", "if (\\u{202e}\\u{2066}admin"],
  ["an invisible space in a name", "is\u200bAdmin", "is\\u{200b}Admin"],
  ["an invisible letter", "const \u3164 = 1", "const \\u{3164} = 1"],
  ["tags and selectors that carry hidden text", "a\u{e0041}\u{e0100}", "a\\u{e0041}\\u{e0100}"],
])("%s is shown", (_, text, shown) => {
  expect(showHidden(text)).toBe(shown);
});

test("what people see anyway stays as it is", () => {
  const text = "\tähnlich, 你好, ❤️ — \r\n+line\n";
  expect(showHidden(text)).toBe(text);
});
