import { expect, test } from "vitest";
import counted from "../../testing/counted-texts.json" with { type: "json" };
import { answerText, estimatePrompt } from "./call-texts.ts";
import { estimateTokens } from "./estimate-tokens.ts";

/** How far the estimate is from the count of o200k, as a share of the count. */
const errorOf = (estimated: number, count: number) => Math.abs(estimated / count - 1);

test.each(counted)("the estimate is within 20 % of the count: $name", ({ text, tokens }) => {
  expect(errorOf(estimateTokens(text), tokens)).toBeLessThan(0.2);
});

test("an empty text has no tokens, and every text of every kind has some", () => {
  expect(estimateTokens("")).toBe(0);
  for (const text of [" ", "  ", "\n", "7", "a", "A", "{", "я", "字", "→", "😀", "\u0000", "\uD83D"])
    expect([text, Math.sign(estimateTokens(text)) >= (text === " " ? 0 : 1)]).toEqual([text, true]);
});

test("a stream is estimated from its texts, in whatever pieces they come", () => {
  const [reasoning, code, call] = ["reasoning", "typescript", "editCall"].map((name) =>
    counted.find((one) => one.name === name),
  ) as typeof counted;
  const pieces = (text: string) => text.match(/[\s\S]{1,4}/g) ?? [];
  const chunk = (delta: object) => ({
    id: "chatcmpl-0f3a9c1de2b74bb0a1",
    object: "chat.completion.chunk",
    created: 1_795_000_000,
    model: "glm-5",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
  });
  const events = [
    chunk({ role: "assistant", content: "" }),
    ...pieces(reasoning?.text ?? "").map((text) => chunk({ reasoning_content: text })),
    ...pieces(code?.text ?? "").map((text) => chunk({ content: text })),
    chunk({ tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "edit" } }] }),
    ...pieces(call?.text ?? "").map((text) =>
      chunk({ tool_calls: [{ index: 0, function: { arguments: text } }] }),
    ),
  ];
  const count = [reasoning, code, call].reduce((sum, one) => sum + (one?.tokens ?? 0), 0);
  expect(errorOf(estimateTokens(events.map(answerText).join("")), count)).toBeLessThan(0.2);
});

test("a request is estimated from its messages and tools, not from its JSON", () => {
  const messages = counted.map(({ text }, at) =>
    at % 2 === 0
      ? { role: "user", content: [{ type: "text", text }] }
      : { role: "assistant", content: null, tool_calls: [{ function: { name: "edit", arguments: text } }] },
  );
  const count = counted.reduce((sum, { tokens }) => sum + tokens, 0);
  expect(errorOf(estimatePrompt({ messages }), count)).toBeLessThan(0.2);
  const tools = [{ type: "function", function: { name: "grep", description: "Searches files" } }];
  expect(estimatePrompt({ messages, tools })).toBeGreaterThan(estimatePrompt({ messages }) + 15);
});

test("an event that is no completion has no text", () => {
  for (const event of [
    {},
    { choices: null },
    { choices: [null, 7] },
    { choices: [{ delta: { content: 7 } }] },
  ])
    expect(answerText(event)).toBe("");
});
