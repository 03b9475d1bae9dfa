import { expect, test } from "vitest";
import { factsOf } from "./backends/models.ts";
import { estimateUsage, fitTokens, priceOf, readUsage } from "./usage.ts";

test("GLM-5 has the prices of its list, an unknown model has none", () => {
  const tokens = { tokensIn: 1_000_000, tokensOut: 1_000_000, tokensCached: 500_000 };
  expect(priceOf(tokens, factsOf("zai-org/GLM-5").prices)).toBeCloseTo(0.5 + 0.1 + 3.2, 9);
  expect(priceOf(tokens, factsOf("recorded").prices)).toBe(0);
});

test("usage is read where the backend reports it, else estimated and marked", () => {
  const prices = factsOf("glm-5").prices;
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
