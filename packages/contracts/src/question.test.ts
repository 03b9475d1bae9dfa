import { expect, test } from "vitest";
import { putQuestion } from "./question.ts";

const idsOf = (options: string[], fallback: string | null = null) =>
  putQuestion({ question: "Which?", options, default: fallback, why: "" }).options.map(({ id }) => id);

test("options are chosen by the words of their labels", () => {
  expect(idsOf(["Dash", "an underscore"])).toEqual(["dash", "an-underscore"]);
});

test("labels without words, or with the words of another one, are chosen by their number", () => {
  expect(idsOf(["-", "_", "a b", "a_b"])).toEqual(["option-1", "option-2", "a-b", "option-4"]);
});

test("a default that is none of the options becomes one of them", () => {
  expect(idsOf(["dash", "dot"], "none")).toEqual(["dash", "dot", "none"]);
});
