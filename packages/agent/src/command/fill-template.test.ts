import { expect, test } from "vitest";
import { fillJson, fillText } from "./fill-template.ts";

test("a placeholder is filled wherever it stands, and is empty without a value", () => {
  expect(fillText("a {{model}} b {{model}} {{session}}!", { model: "glm-5" })).toBe("a glm-5 b glm-5 !");
});

test("a filled-in value is neither filled again nor read as a replacement pattern", () => {
  expect(fillText("{{prompt}}", { prompt: "{{apiKey}} $& $1", apiKey: "secret" })).toBe("{{apiKey}} $& $1");
});

test("texts and names in JSON are filled, and no value changes the structure", () => {
  const json = {
    models: { "{{model}}": { name: "the {{model}}" } },
    on: true,
    none: null,
    list: ["{{model}}", 1],
  };
  const model = '","evil":"';
  expect(fillJson(json, { model })).toEqual({
    models: { [model]: { name: `the ${model}` } },
    on: true,
    none: null,
    list: [model, 1],
  });
});

test("a text that is only a placeholder of a number becomes that number", () => {
  const values = { maxTokens: 4_000, model: "7" };
  expect(fillJson(["{{maxTokens}}", "max {{maxTokens}}", "{{model}}"], values)).toEqual([
    4_000,
    "max 4000",
    "7",
  ]);
});
