import { expect, test } from "vitest";
import { createAdaptiveLimit } from "./adaptive-limit.ts";

const times = <T>(n: number, what: () => T) => Array.from({ length: n }, what);

test("an overload halves it, once for all calls that were under way", () => {
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

test("it never falls below one, and grows by one for a limit's worth of good calls, up to where it was", () => {
  const limit = createAdaptiveLimit(4);
  for (let n = 0; n < 5; n += 1) limit.take()("overload");
  expect(limit.limit()).toBe(1);
  limit.take()("well");
  expect(limit.limit()).toBe(2);
  limit.take()("well");
  expect(limit.limit()).toBe(2);
  limit.take()("well");
  limit.take()("well");
  expect(limit.limit()).toBe(3);
  for (let n = 0; n < 50; n += 1) limit.take()("well");
  expect(limit.limit()).toBe(4);
});
