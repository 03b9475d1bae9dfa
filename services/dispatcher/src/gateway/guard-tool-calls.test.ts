import { expect, test } from "vitest";
import { guardCompletion, guardStream } from "./guard-tool-calls.ts";

const call = (text: string) => ({ function: { name: "write", arguments: text } });
const whole = (text: string) => ({
  choices: [{ finish_reason: "tool_calls", message: { tool_calls: [call(text)] } }],
});
const reasonOf = (completion: object) => (completion as ReturnType<typeof whole>).choices[0]?.finish_reason;

async function pass(...chunks: object[]): Promise<{ finish_reason?: string | null }[]> {
  const passed: { finish_reason?: string | null }[] = [];
  const source = (async function* () {
    yield* chunks;
  })();
  for await (const chunk of guardStream(source)) {
    passed.push(...(chunk as { choices: { finish_reason?: string | null }[] }).choices);
  }
  return passed;
}
const part = (index: number, text: string) => ({
  choices: [{ delta: { tool_calls: [{ index, function: { arguments: text } }] } }],
});
const stop = { choices: [{ delta: {}, finish_reason: "tool_calls" }] };

test("an answer with incomplete arguments is marked as cut off", () => {
  expect(reasonOf(guardCompletion(whole('{"path":"a')))).toBe("length");
  expect(reasonOf(guardCompletion(whole('{"path":"a"}')))).toBe("tool_calls");
  expect(reasonOf(guardCompletion(whole("")))).toBe("tool_calls");
});

test("the chunks of the arguments are joined for each call before they are checked", async () => {
  expect((await pass(part(0, '{"a":'), part(1, "{}"), part(0, "1}"), stop)).at(-1)?.finish_reason).toBe(
    "tool_calls",
  );
  expect((await pass(part(0, '{"a":'), part(1, "{}"), stop)).at(-1)?.finish_reason).toBe("length");
});

test("a stream without a finish_reason throws", async () => {
  await expect(pass(part(0, "{}"))).rejects.toThrow("without a finish_reason");
  expect(await pass(part(0, "{}"), stop, { choices: [] })).toHaveLength(2);
});
