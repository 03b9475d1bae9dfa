import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveBackends } from "./resolve-backends.ts";

const LLM_MODEL = "glm-5";
const GLM_5 = { prices: { input: 1, output: 3.2, cached: 0.2 }, contextTokens: 202_752 };

test("LLM_BASE_URL alone is one backend, named by its host, without a key", () => {
  expect(resolveBackends({ LLM_MODEL, LLM_BASE_URL: "http://h:1/v1/" }, {})).toEqual([
    {
      name: "h:1",
      baseUrl: "http://h:1/v1",
      apiKey: "none",
      model: "glm-5",
      ...GLM_5,
      pricesKnown: true,
      settings: { key: "LLM_API_KEY", model: "LLM_MODEL", url: "LLM_BASE_URL" },
      concurrency: 400,
      roles: null,
      priority: 1,
      jsonSchema: false,
    },
  ]);
});

test("RunPod comes first, then Modal, then any other server, each with its own key", () => {
  const settings = {
    LLM_MODEL,
    LLM_BASE_URL: "http://h/v1",
    LLM_API_KEY: "k",
    RUNPOD_ENDPOINT_ID: "e",
    RUNPOD_API_KEY: "r",
    MODAL_GLM_URL: "https://me--glm.modal.run/",
    MODAL_GLM_API_KEY: "m",
  };
  expect(resolveBackends(settings, {})).toMatchObject([
    { name: "runpod", baseUrl: "https://api.runpod.ai/v2/e/openai/v1", apiKey: "r", priority: 1 },
    { name: "modal", baseUrl: "https://me--glm.modal.run/v1", apiKey: "m", priority: 2 },
    { name: "h", baseUrl: "http://h/v1", apiKey: "k", priority: 3 },
  ]);
  const alone = { LLM_MODEL, RUNPOD_ENDPOINT_ID: "e", LLM_API_KEY: "k" };
  expect(resolveBackends(alone, {})).toMatchObject([{ apiKey: "k" }]);
  // The key for LLM_BASE_URL must not be sent to RunPod.
  expect(() => resolveBackends({ ...settings, RUNPOD_API_KEY: undefined }, {})).toThrow(
    "RUNPOD_ENDPOINT_ID needs RUNPOD_API_KEY",
  );
});

test("without a backend the error names the settings to set", () => {
  expect(() => resolveBackends({ LLM_MODEL }, {})).toThrow(
    "no model: set LLM_BASE_URL and LLM_API_KEY, or RUNPOD_ENDPOINT_ID and RUNPOD_API_KEY",
  );
});

const LIST = [
  { name: "near", baseUrl: "http://127.0.0.1:11434/v1", model: "qwen", priority: 2, roles: ["small"] },
  { name: "far", kind: "zai", model: "glm-5.3-flash", priority: 1, concurrency: 7, jsonSchema: true },
];

test("a list comes from the setting or from a file, its missing values from kind and model", () => {
  const expected = [
    {
      name: "far",
      baseUrl: "https://api.z.ai/api/paas/v4",
      apiKey: "z",
      model: "glm-5.3-flash",
      prices: { input: 0.15, output: 0.5, cached: 0.03 },
      contextTokens: 202_752,
      concurrency: 7,
      roles: null,
      priority: 1,
      jsonSchema: true,
    },
    { name: "near", apiKey: "none", prices: { input: 0, output: 0, cached: 0 }, pricesKnown: false },
  ];
  // The key of another address is not sent to this one.
  const settings = { LLM_MODEL, LLM_API_KEY: "k", LLM_BACKENDS: JSON.stringify(LIST) };
  expect(resolveBackends(settings, { ZAI_API_KEY: "z" })).toMatchObject(expected);
  const dir = mkdtempSync(join(tmpdir(), "swarm-backends-"));
  try {
    writeFileSync(join(dir, "list.json"), JSON.stringify(LIST));
    const byFile = { LLM_MODEL, LLM_BACKENDS: join(dir, "list.json") };
    expect(resolveBackends(byFile, { ZAI_API_KEY: "z" })).toMatchObject(expected);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("every mistake in a list is an error that says what to change", () => {
  const one = { name: "a", baseUrl: "http://h/v1" };
  const mistakes: [unknown, string][] = [
    ["{", "LLM_BACKENDS: "],
    ["/nowhere.json", "no such file"],
    [[{ ...one, keyVar: "sk-12345" }], "is the NAME of the variable that holds the key"],
    [[{ ...one, keyVar: "MY_KEY" }], "LLM_BACKENDS: a needs MY_KEY"],
    [[{ ...one, price: 3 }], "price"],
    [[{ name: "a" }], "a needs a baseUrl or LLM_BASE_URL"],
    [[{ name: "a", kind: "zai" }], "LLM_BACKENDS: a needs ZAI_API_KEY"],
    [[one, one], "the same name"],
    [[{ ...one, roles: ["plan"] }], "no backend has the role work"],
  ];
  for (const [list, message] of mistakes) {
    const LLM_BACKENDS = typeof list === "string" ? list : JSON.stringify(list);
    expect(() => resolveBackends({ LLM_MODEL, LLM_BACKENDS }, {})).toThrow(message);
  }
});
