import { expect, test } from "vitest";
import { waitMs } from "./retry.ts";

test("Retry-After is honoured in both its forms, never undercut and never endless", () => {
  expect(waitMs(1, "2", 0, 0)).toBe(2_000);
  expect(waitMs(1, "2", 0, 1)).toBe(2_250);
  expect(waitMs(1, "Thu, 01 Jan 1970 00:00:05 GMT", 1_000, 0)).toBe(4_000);
  expect(waitMs(1, "86400", 0, 0)).toBe(60_000);
  expect(waitMs(1, "-5", 0, 0)).toBe(0);
});

test("without it the wait doubles, jittered, up to a minute", () => {
  expect(waitMs(1, null, 0, 1)).toBe(500);
  expect(waitMs(2, "soon", 0, 1)).toBe(1_000);
  expect(waitMs(2, null, 0, 0)).toBe(500);
  expect(waitMs(50, null, 0, 1)).toBe(60_000);
});
