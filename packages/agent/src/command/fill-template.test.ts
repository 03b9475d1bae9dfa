import { expect, test } from "vitest";
import { fillJson, fillText } from "./fill-template.ts";

test("known values are put in as often as they are named, unknown ones are empty", () => {
  expect(fillText("a {{model}} b {{model}} {{session}}!", { model: "glm-5" })).toBe("a glm-5 b glm-5 !");
});

test("what is put in is not read again, nor taken for a pattern", () => {
  expect(fillText("{{prompt}}", { prompt: "{{apiKey}} $& $1", apiKey: "secret" })).toBe("{{apiKey}} $& $1");
});

test("JSON is filled in its texts and names, and no value breaks out of its place", () => {
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

test("a text that is one placeholder of a number becomes the number, of a text stays a text", () => {
  const values = { maxTokens: 4_000, model: "7" };
  expect(fillJson(["{{maxTokens}}", "max {{maxTokens}}", "{{model}}"], values)).toEqual([
    4_000,
    "max 4000",
    "7",
  ]);
});
