import { expect, test } from "vitest";
import { resolveModelSettings } from "./model-settings.ts";

test("a base URL goes first, then RunPod's endpoint; neither is an error that names the settings", () => {
  const LLM_MODEL = "glm-5";
  const both = { LLM_MODEL, LLM_BASE_URL: "http://h/v1/", LLM_API_KEY: "k", RUNPOD_ENDPOINT_ID: "e" };
  expect(resolveModelSettings(both)).toEqual({ baseUrl: "http://h/v1", apiKey: "k", model: "glm-5" });
  expect(resolveModelSettings({ LLM_MODEL, RUNPOD_ENDPOINT_ID: "e", RUNPOD_API_KEY: "r" })).toEqual({
    baseUrl: "https://api.runpod.ai/v2/e/openai/v1",
    apiKey: "r",
    model: "glm-5",
  });
  expect(() => resolveModelSettings({ LLM_MODEL })).toThrow("LLM_BASE_URL");
});
