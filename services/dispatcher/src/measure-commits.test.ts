import { expect, test } from "vitest";
import { countFiles, countLines } from "./measure-commits.ts";

test("counts lines and files, with binary ones and names that hold anything", () => {
  expect(countLines("3\t1\ta b.ts\0-\t-\tlogo.png\0" + "2\t0\tnew\nline.ts\0")).toEqual({
    linesAdded: 5,
    linesRemoved: 1,
  });
  expect(countFiles("A\0a b.ts\0M\0M\0D\0old.ts\0T\0link\0")).toEqual({ filesCreated: 1, filesModified: 2 });
});
