import { expect, test } from "vitest";
import { judgeRefusal, mayPass } from "./judge-refusal.ts";

test("overload, outages and a cold start may pass; what is wrong with the request or the key does not", () => {
  expect([429, 503, 529].map((status) => judgeRefusal(status, ""))).toEqual(Array(3).fill("overload"));
  expect([500, 502, 504, 408].map((status) => judgeRefusal(status, ""))).toEqual(Array(4).fill("outage"));
  expect([401, 402, 403, 404].map((status) => judgeRefusal(status, ""))).toEqual(Array(4).fill("foreign"));
  expect((["overload", "outage", "cold"] as const).every(mayPass)).toBe(true);
  expect((["foreign", "overflow", "request"] as const).some(mayPass)).toBe(false);
});

test("a 400 is one of three things", () => {
  expect(judgeRefusal(400, '{"error":"No workers available"}')).toBe("cold");
  expect(judgeRefusal(400, "This model's maximum context length is 202752 tokens")).toBe("overflow");
  expect(judgeRefusal(400, "The input (3000 tokens) is longer than the model's context window")).toBe(
    "overflow",
  );
  expect(judgeRefusal(400, "Input is too long for requested model")).toBe("overflow");
  expect(judgeRefusal(400, "tools.0.function.name: invalid")).toBe("request");
  expect(judgeRefusal(422, "")).toBe("request");
});

test("a gateway that gave up on a cold worker is waited for too", () => {
  expect(judgeRefusal(524, "")).toBe("cold");
});
