import { expect, test } from "vitest";
import { parseCommit } from "./commit-object.ts";

const [tree, base, other] = ["1", "2", "3"].map((digit) => digit.repeat(40)) as [string, string, string];
const who = "Agent <agent@example.com> 1700000000 +0000";

test("parents are the lines that git reads as such, and no header further down", () => {
  const parents = (...lines: string[]) => parseCommit(Buffer.from(`${lines.join("\n")}\n\ntext\n`)).parents;
  const people = [`author ${who}`, `committer ${who}`];
  expect(parents(`tree ${tree}`, ...people)).toEqual([]);
  expect(parents(`tree ${tree}`, `parent ${base}`, `parent ${other}`, ...people)).toEqual([base, other]);
  // Else an attempt could pose as the child of a commit whose texts count as searched for secrets.
  expect(parents(`tree ${tree}`, `parent ${base}`, ...people, `parent ${other}`)).toEqual([base]);
  expect(parents(`tree ${tree}`, `author ${who}`, `parent ${base}`, `committer ${who}`)).toEqual([]);
});
