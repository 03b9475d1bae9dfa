import { expect, test } from "vitest";
import { mayPass, waitMs } from "./retry.ts";

test("overload, outages and a cold start may pass; a wrong request does not", () => {
  expect([429, 500, 503, 524, 529].every((status) => mayPass(status, ""))).toBe(true);
  expect(mayPass(400, '{"error":"no workers available"}')).toBe(true);
  expect(mayPass(400, "maximum context length is 202752 tokens")).toBe(false);
  expect(mayPass(401, "")).toBe(false);
  expect(mayPass(404, "")).toBe(false);
});

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
