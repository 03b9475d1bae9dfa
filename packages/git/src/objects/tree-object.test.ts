import { expect, test } from "vitest";
import { entryEnd, formatTree, parseTree, readEntry } from "./tree-object.ts";

const entries = [
  { mode: "100644", name: "a name with spaces", id: "1".repeat(40) },
  // An id may contain the bytes of a space and of NUL.
  { mode: "40000", name: "\u00c3\u00a9", id: `0020${"00".repeat(17)}20` },
  { mode: "120000", name: "z", id: "f".repeat(40) },
];

test("a tree that is formatted and parsed again is the same, whatever its names and ids hold", () => {
  const body = formatTree(entries);
  expect(body.length).toBe(entries.reduce((sum, { mode, name }) => sum + mode.length + name.length + 22, 0));
  expect(parseTree(body)).toEqual(entries);
  expect(parseTree(Buffer.alloc(0))).toEqual([]);
});

test("an entry that is read alone is the one of the whole tree", () => {
  const body = formatTree(entries);
  for (let at = 0, nth = 0; at < body.length; nth += 1) {
    const end = entryEnd(body, at);
    expect(readEntry(body, at, end)).toEqual(entries[nth]);
    at = end;
  }
});

test.each(["100644", "100644 name", "100644name\0"])("a tree that goes on with %j is refused", (rest) => {
  const body = Buffer.concat([formatTree(entries), Buffer.from(rest.padEnd(25, "x"))]);
  expect(() => parseTree(body)).toThrow("malformed");
});
