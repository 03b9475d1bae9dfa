import { expect, test } from "vitest";
import { longReason, shortReason } from "./format-reason.ts";

const FAILED_CHECK = [
  "the checks failed three times",
  "",
  "$ npm test --silent (exit 1)",
  "product-even: s is iterable",
  ...Array.from({ length: 200 }, (_, nth) => `ok ${nth}`),
  "# fail 1",
  "TypeError: parse is not a function",
  "",
].join("\n");

test("a reason that fits is shown whole", () => {
  expect(shortReason("waiting: FEATURE_BUDGET_USD=5 is used up (5.02)")).toBe(
    "waiting: FEATURE_BUDGET_USD=5 is used up (5.02)",
  );
});

test("a long reason keeps its end, which names the cause and the fix", () => {
  const reason = `3 planning rounds were not enough: the model refused the request: ${"x".repeat(80)} 401 Incorrect API key provided: correct LLM_API_KEY`;
  const short = shortReason(reason);
  expect(short.length).toBeLessThanOrEqual(110);
  expect(short).toMatch(/^3 planning rounds were not enough.*…/);
  expect(short).toMatch(/401 Incorrect API key provided: correct LLM_API_KEY$/);
});

test("of a failed check the command and the last line are shown, not a test that passed", () => {
  const short = shortReason(FAILED_CHECK);
  expect(short).toBe(
    "the checks failed three times $ npm test --silent (exit 1) … TypeError: parse is not a function",
  );
  const gate = `The check npm test failed on the merged tree:\nok 1\nnot ok 2\n`;
  expect(shortReason(gate)).toBe("The check npm test failed on the merged tree: … not ok 2");
});

test("with room the last lines of the output are shown under the command", () => {
  expect(longReason(FAILED_CHECK)).toEqual([
    "the checks failed three times $ npm test --silent (exit 1)",
    "| ok 197",
    "| ok 198",
    "| ok 199",
    "| # fail 1",
    "| TypeError: parse is not a function",
  ]);
  expect(longReason("cancelled by ada")).toEqual(["cancelled by ada"]);
});

test("untrusted text cannot move the cursor", () => {
  expect(shortReason("a\u001b[2Jb\rc")).toBe("abc");
});
