import { expect, test } from "vitest";
import { quietDelayMs } from "./wait-for-quiet.ts";

test("a few pushes of others delay nothing; after them the delays double up to ten seconds", () => {
  expect([1, 2, 3, 4, 5, 9, 500].map(quietDelayMs)).toEqual([0, 0, 250, 500, 1_000, 10_000, 10_000]);
});
