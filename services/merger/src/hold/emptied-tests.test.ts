import { expect, test } from "vitest";
import { isTestFile, whyEmptied } from "./emptied-tests.ts";

const full = `import { expect, test } from "vitest";
import { add } from "./add.ts";

test("adds", () => {
  expect(add(1, 2)).toBe(3);
});

test("adds nothing", () => {
  expect(add(1, 0)).toBe(1);
});

test("adds below zero", () => {
  expect(add(1, -2)).toBe(-1);
});
`;
const why = (after: string | null, before = full) => whyEmptied({ path: "a.test.ts", before, after });

test.each([
  ["no case", 'import "vitest";\n', "shrinks from"],
  [
    "cases without assertions",
    full.replaceAll(/ {2}expect.*\n/g, "  add(1, 2);\n"),
    "0 assertions left of 3",
  ],
  [
    "assertions that cannot fail",
    full.replaceAll(/expect\(.*\)\.toBe\(.*\)/g, "expect(true).toBe(true)"),
    "0 assertions",
  ],
  ["commented out", full.replaceAll(/^(?=test|}| {2}expect)/gm, "// "), "shrinks from"],
  ["in a block comment", `/*\n${full}*/\n`, "shrinks from"],
  ["skipped", full.replace("test(", "test.skip("), "skips tests"],
  ["one only", full.replace("test(", "test.only("), "skips tests"],
  ["an early exit", full.replace("\ntest(", "\nprocess.exit(0);\ntest("), "ends their run early"],
  ["a link", null, "no regular file"],
])("a test is emptied: %s", (_, after, reason) => {
  expect(why(after)).toContain(reason);
});

test.each([
  ["nothing changed", full],
  ["one more case", `${full}\ntest("more", () => expect(add(2, 2)).toBe(4));\n`],
  ["one case less", full.slice(0, full.indexOf('test("adds below'))],
  ["another assertion library", full.replaceAll(/expect\((.*)\)\.toBe\((.*)\)/g, "assert.equal($1, $2)")],
])("a test is not emptied: %s", (_, after) => {
  expect(why(after)).toBeNull();
});

test("tests of other languages are emptied too", () => {
  expect(why("def test_a():\n    pass\n", "def test_a():\n    assert f() == 1\n")).toContain("assertions");
  expect(why("func TestA(t *testing.T) {}\n", "func TestA(t *testing.T) { t.Fatal(f()) }\n")).toContain(
    "assertions",
  );
});

test("a large hostile test is measured within a second", () => {
  const started = performance.now();
  for (const text of ["/*", "t.", "t. ", "expect(", " ", "test.each(", "assert(true,", "#", "\n"])
    why(text.repeat(300_000), text.repeat(300_000));
  expect(performance.now() - started).toBeLessThan(9_000);
});

test.each([
  "a.test.ts",
  "test/a.js",
  "src/__tests__/a.ts",
  "a_test.go",
  "test_a.py",
  "ATest.java",
  "checks/a.ts",
  "spec/a.rb",
])("%s is a test", (path) => expect(isTestFile(path)).toBe(true));
