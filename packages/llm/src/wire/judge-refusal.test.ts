import { expect, test } from "vitest";
import { judgeRefusal, isTransient } from "./judge-refusal.ts";

test("overload, outages and a cold start are transient, errors of the request or the key are not", () => {
  expect([429, 503, 529].map((status) => judgeRefusal(status, ""))).toEqual(Array(3).fill("overload"));
  expect([500, 502, 504, 408].map((status) => judgeRefusal(status, ""))).toEqual(Array(4).fill("outage"));
  expect([401, 402, 403, 404].map((status) => judgeRefusal(status, ""))).toEqual(Array(4).fill("foreign"));
  expect((["overload", "outage", "cold"] as const).every(isTransient)).toBe(true);
  expect((["foreign", "overflow", "request"] as const).some(isTransient)).toBe(false);
});

test("a 400 is a cold start, an overflow or an invalid request", () => {
  expect(judgeRefusal(400, '{"error":"No workers available"}')).toBe("cold");
  expect(judgeRefusal(400, "This model's maximum context length is 202752 tokens")).toBe("overflow");
  expect(judgeRefusal(400, "The input (3000 tokens) is longer than the model's context window")).toBe(
    "overflow",
  );
  expect(judgeRefusal(400, "Input is too long for requested model")).toBe("overflow");
  expect(judgeRefusal(400, "tools.0.function.name: invalid")).toBe("request");
  expect(judgeRefusal(422, "")).toBe("request");
});

test("524 from a gateway is a cold start", () => {
  expect(judgeRefusal(524, "")).toBe("cold");
});
