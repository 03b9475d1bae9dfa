import { expect, test } from "vitest";
import { countChanges } from "./count-changes.ts";

const id = "a".repeat(40);
const raw = (state: string, path: string) => `:100644 100644 ${id} ${id} ${state}\0${path}\0`;

test("lines and files are counted, for binary files and for any path", () => {
  const states = [
    raw("A", "a b.ts"),
    raw("M", "logo.png"),
    raw("D", "old\tname"),
    raw("T", ":100644 100644 a b M"),
  ];
  const lines = "3\t1\ta b.ts\0-\t-\tlogo.png\0" + "0\t2\told\tname\0" + "1\t1\t:100644 100644 a b M\0";
  expect(countChanges(states.join("") + lines)).toEqual({
    files: ["a b.ts", "logo.png", "old\tname", ":100644 100644 a b M"],
    linesAdded: 4,
    linesRemoved: 4,
    filesCreated: 1,
    filesModified: 2,
  });
  expect(countChanges("").files).toEqual([]);
});
