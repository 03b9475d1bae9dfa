import { expect, test } from "vitest";
import { matchDrafts } from "./draft-fixes.ts";

const failure = (signature: string) => ({ signature, check: "test", files: [], outputTail: "" });
const draft = (signature: string, title = "Fix it") => ({ signature, title, description: "", scope: [] });

test("a draft is paired with the failure of its signature", () => {
  expect(matchDrafts([failure("a"), failure("b")], [draft("b")])).toEqual([draft("b")]);
});

test("a draft with an unknown signature is dropped, and so is a second draft for one signature", () => {
  const drafts = [draft("x"), draft("a", "First"), draft("a", "Second")];
  expect(matchDrafts([failure("a")], drafts)).toEqual([draft("a", "First")]);
});

test("a wildcard draft is paired with the next failure without a draft", () => {
  const drafts = [draft("a"), draft("*"), draft("*")];
  expect(matchDrafts([failure("a"), failure("b")], drafts).map((one) => one.signature)).toEqual(["a", "b"]);
});
