import { expect, test } from "vitest";
import { factsOf, FREE } from "../backends/models.ts";
import { fitTokens } from "./fit-tokens.ts";
import { measureUsage } from "./measure-usage.ts";
import { priceOf } from "./usage.ts";

const prices = factsOf("glm-5").prices ?? FREE;
const ESTIMATE = { tokensIn: 50, tokensOut: 5 };
const measure = (reported: unknown, estimate: object = {}) =>
  measureUsage(reported, () => ({ ...ESTIMATE, ...estimate }), prices);

test("GLM-5 has the prices of its list, an unknown model has none", () => {
  const tokens = { tokensIn: 1_000_000, tokensOut: 1_000_000, tokensCached: 500_000 };
  expect(priceOf(tokens, factsOf("zai-org/GLM-5").prices ?? FREE)).toBeCloseTo(0.5 + 0.1 + 3.2, 9);
  expect(factsOf("recorded").prices).toBeNull();
});

test("the reported usage is taken, and cached tokens have their own price", () => {
  expect(
    measure({ prompt_tokens: 1_000, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 900 } }),
  ).toEqual({
    tokensIn: 1_000,
    tokensOut: 2,
    tokensCached: 900,
    costUsd: (100 * 1 + 900 * 0.2 + 2 * 3.2) / 1_000_000,
    estimated: false,
  });
  const cachedOf = (change: object) => measure({ prompt_tokens: 10, completion_tokens: 2, ...change });
  expect(cachedOf({ prompt_tokens_details: null })).toMatchObject({ tokensCached: 0, estimated: false });
  expect(cachedOf({ prompt_cache_hit_tokens: 4 })).toMatchObject({ tokensCached: 4 });
  expect(cachedOf({ cached_tokens: 4 })).toMatchObject({ tokensCached: 4 });
});

test.each([
  undefined,
  null,
  {},
  [],
  7,
  "usage",
  { prompt_tokens: 0, completion_tokens: 0 },
  { total_tokens: 5 },
])("without a usage the tokens are estimated: %j", (reported) =>
  expect(measure(reported)).toMatchObject({ ...ESTIMATE, tokensCached: 0, estimated: true }),
);

test.each([-1, -500, 1e16, Infinity, NaN, "many", "", "-3", true, {}, [5], null])(
  "a count that cannot be right is estimated: %j",
  (odd) => {
    expect(measure({ prompt_tokens: odd, completion_tokens: 7 })).toMatchObject({
      tokensIn: 50,
      tokensOut: 7,
      estimated: true,
    });
    expect(measure({ prompt_tokens: 7, completion_tokens: odd })).toMatchObject({
      tokensIn: 7,
      tokensOut: 5,
      estimated: true,
    });
    const details = { prompt_tokens_details: { cached_tokens: odd } };
    expect(measure({ prompt_tokens: 7, completion_tokens: 7, ...details })).toMatchObject({
      tokensCached: 0,
    });
  },
);

test("a fraction is rounded up, and a number in quotes is a number", () => {
  expect(measure({ prompt_tokens: 100.5, completion_tokens: "12" })).toMatchObject({
    tokensIn: 101,
    tokensOut: 12,
    estimated: false,
  });
});

test("more tokens cannot be cached than the prompt has, so that no call costs less than nothing", () => {
  const usage = measure({ prompt_tokens: 10, completion_tokens: 1, cached_tokens: 9_000_000 });
  expect(usage).toMatchObject({ tokensCached: 10 });
  expect(usage.costUsd).toBeGreaterThan(0);
});

test("an answer that was cut off before its usage has the cached share of the calls before", () => {
  const usage = measure(undefined, { tokensIn: 1_000, cachedShare: 0.9 });
  expect(usage).toMatchObject({ tokensIn: 1_000, tokensCached: 900, estimated: true });
  expect(usage.costUsd).toBeCloseTo((100 * 1 + 900 * 0.2 + 5 * 3.2) / 1_000_000, 12);
});

test("a text is cut to its budget at the middle", () => {
  expect(fitTokens("short", 100)).toBe("short");
  const cut = fitTokens(`begin${"x".repeat(10_000)}end`, 100);
  expect(cut.length).toBeLessThanOrEqual(400);
  expect(cut.startsWith("begin") && cut.endsWith("end")).toBe(true);
});
