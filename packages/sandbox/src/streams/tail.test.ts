import { expect, test } from "vitest";
import { openTail } from "./tail.ts";

test("keeps the end of a text, and counts what it drops", () => {
  const tail = openTail(5);
  tail.add("ab");
  expect([tail.text(), tail.dropped()]).toEqual(["ab", 0]);
  tail.add("cdefgh");
  expect([tail.text(), tail.dropped()]).toEqual(["defgh", 3]);
  tail.add("");
  tail.add("i");
  expect([tail.text(), tail.dropped()]).toEqual(["efghi", 4]);
});
