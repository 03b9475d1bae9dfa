import { expect, test } from "vitest";
import { estimateUsage, fitTokens, priceOf, pricesOf, readUsage } from "./usage.ts";

test("GLM-5 costs what its list says, cached tokens less; an unknown model costs nothing", () => {
  const tokens = { tokensIn: 1_000_000, tokensOut: 1_000_000, tokensCached: 500_000 };
  expect(priceOf(tokens, pricesOf("zai-org/GLM-5"))).toBeCloseTo(0.5 + 0.1 + 3.2, 9);
  expect(priceOf(tokens, pricesOf("recorded"))).toBe(0);
});

test("usage is read where it is told, else estimated and marked", () => {
  const prices = pricesOf("glm-5");
  expect(
    readUsage({ prompt_tokens: 10, completion_tokens: 2, prompt_tokens_details: null }, prices),
  ).toMatchObject({
    tokensIn: 10,
    tokensOut: 2,
    tokensCached: 0,
    estimated: false,
  });
  for (const nothing of [undefined, null, {}, { prompt_tokens: "many" }])
    expect(readUsage(nothing, prices)).toBeNull();
  expect(estimateUsage("a".repeat(40), "bbbb", prices)).toMatchObject({
    tokensIn: 10,
    tokensOut: 1,
    estimated: true,
  });
});

test("a text is cut to its budget at the middle", () => {
  expect(fitTokens("short", 100)).toBe("short");
  const cut = fitTokens(`begin${"x".repeat(10_000)}end`, 100);
  expect(cut.length).toBeLessThanOrEqual(400);
  expect(cut.startsWith("begin") && cut.endsWith("end")).toBe(true);
});
