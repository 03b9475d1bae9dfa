import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeFile } from "./merge-file.ts";
import { mergeLines } from "./merge-lines.ts";

/** Few different lines, so that they repeat and a diff has several ways to place a change. */
const line = fc.constantFrom("", "a", "b", "}", "same", "\r", "one", "two", "three");
const text = fc
  .tuple(fc.array(line, { maxLength: 14 }), fc.constantFrom("\n", ""))
  .map(([lines, end]) => lines.join("\n") + end);
const splice = fc.record({ at: fc.nat(14), gone: fc.nat(3), come: fc.array(line, { maxLength: 3 }) });
const edited = (base: string, edits: { at: number; gone: number; come: string[] }[]) => {
  const lines = base.split("\n");
  for (const { at, gone, come } of edits) lines.splice(at % (lines.length + 1), gone, ...come);
  return lines.join("\n");
};

test("lines merged without git are what git merges, and never where git sees a conflict", async () => {
  let merged = 0;
  const edits = fc.array(splice, { minLength: 1, maxLength: 2 });
  await fc.assert(
    fc.asyncProperty(text, edits, edits, async (base, left, right) => {
      const sides = [base, edited(base, left), edited(base, right)].map((side) => Buffer.from(side));
      const [from, ours, theirs] = sides as [Buffer, Buffer, Buffer];
      const quick = mergeLines(from, ours, theirs);
      if (quick === null) return;
      merged += 1;
      expect(quick.toString()).toBe((await mergeFile(from, ours, theirs))?.toString());
    }),
    { numRuns: Number(process.env["MERGE_RUNS"] ?? 1_500) },
  );
  expect(merged).toBeGreaterThan(50);
});
