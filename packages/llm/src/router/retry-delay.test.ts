import { expect, test } from "vitest";
import { retryDelayMs } from "./retry-delay.ts";

test("Retry-After is honoured in both its forms, up to a minute", () => {
  expect(retryDelayMs(1, "2", 0, 0)).toBe(2_000);
  expect(retryDelayMs(1, "2", 0, 1)).toBe(2_250);
  expect(retryDelayMs(1, "Thu, 01 Jan 1970 00:00:05 GMT", 1_000, 0)).toBe(4_000);
  expect(retryDelayMs(1, "86400", 0, 0)).toBe(60_000);
  expect(retryDelayMs(1, "-5", 0, 0)).toBe(0);
});

test("without Retry-After the delay doubles, with jitter, up to a minute", () => {
  expect(retryDelayMs(1, null, 0, 1)).toBe(500);
  expect(retryDelayMs(2, "soon", 0, 1)).toBe(1_000);
  expect(retryDelayMs(2, null, 0, 0)).toBe(500);
  expect(retryDelayMs(50, null, 0, 1)).toBe(60_000);
});
