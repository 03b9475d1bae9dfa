import { expect, test } from "vitest";
import { createAdaptiveLimit } from "./adaptive-limit.ts";

const times = <T>(n: number, make: () => T) => Array.from({ length: n }, make);

test("an overload halves the limit once for all calls that had begun", () => {
  const limit = createAdaptiveLimit(16);
  const ends = times(16, () => limit.take());
  expect(limit.free()).toBe(0);
  for (const end of ends) end("overload");
  expect(limit.limit()).toBe(8);
  limit.take()("overload");
  expect(limit.limit()).toBe(4);
  for (const end of times(10, () => limit.take())) end("unknown");
  expect(limit.limit()).toBe(4);
});

test("the limit grows by one for as many successes, between one and its highest value", () => {
  const limit = createAdaptiveLimit(4);
  for (let n = 0; n < 5; n += 1) limit.take()("overload");
  expect(limit.limit()).toBe(1);
  limit.take()("ok");
  expect(limit.limit()).toBe(2);
  limit.take()("ok");
  expect(limit.limit()).toBe(2);
  limit.take()("ok");
  limit.take()("ok");
  expect(limit.limit()).toBe(3);
  for (let n = 0; n < 50; n += 1) limit.take()("ok");
  expect(limit.limit()).toBe(4);
});
