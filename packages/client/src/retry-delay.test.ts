import { expect, test } from "vitest";
import { ApiError, Unreachable } from "./api-error.ts";
import { retryDelayMs } from "./retry-delay.ts";

const facts = { retries: 0, maxRetries: 3, leftMs: 30_000, random: 1 };
const problem = (status: number, retryAfterMs?: number) =>
  new ApiError({ type: "urn:agentswarm:x", title: "x", status, detail: "x" }, retryAfterMs);

test.each([
  [new Unreachable("no-answer", "x"), 250],
  [problem(429), 250],
  [problem(503), 250],
  [new Unreachable("not-the-api", "x"), null],
  [problem(404), null],
  [problem(500), null],
  [new Error("x"), null],
])("%s is retried only if it is transient", (error, delayMs) => {
  expect(retryDelayMs(error, facts)).toBe(delayMs);
});

test("each retry waits twice as long, up to ten seconds", () => {
  const delays = [0, 1, 2, 9].map((retries) =>
    retryDelayMs(problem(503), { ...facts, retries, maxRetries: 10 }),
  );
  expect(delays).toEqual([250, 500, 1_000, 10_000]);
});

test("Retry-After is respected", () => {
  expect(retryDelayMs(problem(503, 5_000), facts)).toBe(5_000);
});

test("no retry begins behind the deadline or above the number of retries", () => {
  expect(retryDelayMs(problem(503, 5_000), { ...facts, leftMs: 5_000 })).toBeNull();
  expect(retryDelayMs(problem(503), { ...facts, retries: 3 })).toBeNull();
});
