import { expect, test } from "vitest";
import { refuseUnpricedCaps } from "./refuse-unpriced-caps.ts";
import { resolveBackends } from "./resolve-backends.ts";

const OWN = { LLM_MODEL: "my-own-model", LLM_BASE_URL: "http://h:1/v1" };

test("prices of LLM_MODEL are settings; the price of cached tokens is by default that of others", () => {
  const prices = { LLM_PRICE_IN: 0.5, LLM_PRICE_OUT: 2 };
  expect(resolveBackends({ ...OWN, ...prices }, {})).toMatchObject([
    { prices: { input: 0.5, output: 2, cached: 0.5 }, pricesKnown: true },
  ]);
  expect(resolveBackends({ ...OWN, ...prices, LLM_PRICE_CACHED: 0.1 }, {})).toMatchObject([
    { prices: { cached: 0.1 } },
  ]);
  expect(() => resolveBackends({ ...OWN, LLM_PRICE_IN: 0.5 }, {})).toThrow("LLM_PRICE_OUT");
  // They are the prices of LLM_MODEL and of no other model.
  const LLM_BACKENDS = JSON.stringify([{ name: "a", model: "another" }, { name: "b" }]);
  expect(resolveBackends({ ...OWN, ...prices, LLM_BACKENDS }, {})).toMatchObject([
    { name: "a", pricesKnown: false },
    { name: "b", pricesKnown: true },
  ]);
});

test("a cap in dollars is refused while the price of a model is not known, with the settings to add", () => {
  const unpriced = resolveBackends(OWN, {});
  for (const caps of [{ BUDGET_USD: 5 }, { FEATURE_BUDGET_USD: 5 }]) {
    expect(() => refuseUnpricedCaps(unpriced, caps)).toThrow(
      new RegExp(`^${Object.keys(caps)[0]}=5 .*my-own-model at h:1 .*LLM_PRICE_IN and LLM_PRICE_OUT`),
    );
  }
  expect(() => refuseUnpricedCaps(unpriced, {})).not.toThrow();
});

test("a known price is accepted, also 0, and recorded answers are free", () => {
  const free = resolveBackends({ ...OWN, LLM_PRICE_IN: 0, LLM_PRICE_OUT: 0 }, {});
  const recorded = resolveBackends({ LLM_MODEL: "glm-5", RECORDED_MODEL_URL: "http://h/v1" }, {});
  const listed = resolveBackends({ ...OWN, LLM_MODEL: "glm-5.3" }, {});
  for (const backends of [free, recorded, listed])
    expect(() => refuseUnpricedCaps(backends, { BUDGET_USD: 5, FEATURE_BUDGET_USD: 1 })).not.toThrow();
});
