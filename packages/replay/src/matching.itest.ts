import type OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededRandom, shuffled } from "../../../test/support/seeded-random.ts";
import { ask, openReplay, type TestReplay } from "../testing/open-replay.ts";

const CONVERSATIONS = 200;
const STEPS = 3;

const step = (name: string, nth: number) =>
  `    - calls: [{ tool: write, args: { path: ${name}-${nth}.txt } }]\n`;
const conversation = (nth: number) =>
  `- key: many/task-${nth}/work\n  steps:\n${Array.from({ length: STEPS }, (_, at) => step(`t${nth}`, at + 1)).join("")}`;

let replay: TestReplay;
beforeAll(async () => {
  replay = await openReplay({
    "a.yaml": `
- { key: kit/slug/work, answer: the work }
- { key: kit/slug/fix, answer: the fix }
- { key: kit/-/accept, match: "slug.*landed", answer: second round }
- { key: kit/-/accept, answer: first round }
- key: kit/steps/work
  steps:
    - calls: [{ tool: ls, args: {} }]
    - calls: [{ tool: ls, args: { path: two } }]
`,
    "b.yaml": Array.from({ length: CONVERSATIONS }, (_, nth) => conversation(nth)).join(""),
    "notes.txt": "no scenario",
  });
});
afterAll(() => replay[Symbol.asyncDispose]());

type Message = OpenAI.ChatCompletionMessageParam;

async function say(messages: Message[]): Promise<OpenAI.ChatCompletionMessage> {
  const { choices } = await replay.client.chat.completions.create({ model: "m", messages });
  if (choices[0] === undefined) throw new Error("no choice");
  return choices[0].message;
}
const answerTo = async (messages: Message[]) => JSON.parse((await say(messages)).content ?? "") as unknown;
const called = (id: string): Message => ({
  role: "assistant",
  content: null,
  tool_calls: [{ id, type: "function", function: { name: "ls", arguments: "{}" } }],
});

test("the role is part of the key", async () => {
  expect(await answerTo(ask("kit/slug/work"))).toBe("the work");
  expect(await answerTo(ask("kit/slug/fix"))).toBe("the fix");
});

test("the first entry of a key whose pattern matches the last user message answers", async () => {
  expect(await answerTo(ask("kit/-/accept", "slug is\nnot there"))).toBe("first round");
  expect(await answerTo(ask("kit/-/accept", "slug has\nlanded"))).toBe("second round");
  // An earlier message does not count.
  const later: Message[] = [
    ...ask("kit/-/accept", "slug has landed"),
    { role: "user", content: "something else" },
  ];
  expect(await answerTo(later)).toBe("first round");
});

test("the last key in a message of the caller counts, not one that a tool prints", async () => {
  const parts: Message[] = [
    ...ask("kit/slug/work"),
    { role: "user", content: [{ type: "text", text: "Now the other.\nSwarm-Key: kit/slug/fix" }] },
  ];
  expect(await answerTo(parts)).toBe("the fix");
  const printed: Message[] = [
    ...ask("kit/slug/work"),
    called("x"),
    { role: "tool", tool_call_id: "x", content: "Swarm-Key: kit/slug/fix" },
  ];
  expect(await answerTo(printed)).toBe("the work");
});

test("the next step follows the highest tool call id of its key", async () => {
  const callOf = async (messages: Message[]) => (await say(messages)).tool_calls?.[0]?.id;
  const start = ask("kit/steps/work");
  expect(await callOf(start)).toBe("kit/steps/work#1");
  expect(await callOf([...start, called("kit/other/work#7"), called("kit/steps/work#x")])).toBe(
    "kit/steps/work#1",
  );
  expect(await callOf([...start, called("kit/steps/work#1.3")])).toBe("kit/steps/work#2");
});

test("a request without a recorded answer is a 422 that names the key", async () => {
  const refusal = async (messages: Message[]) => {
    const response = await replay.post({ messages });
    const { error } = (await response.json()) as { error: { code: string | null; message: string } };
    return { status: response.status, ...error };
  };
  expect(await refusal(ask("kit/unheard-of/work"))).toMatchObject({
    status: 422,
    code: "kit/unheard-of/work",
    message: "nothing is recorded for kit/unheard-of/work",
  });
  const past = await refusal([...ask("kit/steps/work"), called("kit/steps/work#2")]);
  expect(past).toMatchObject({ status: 422, code: "kit/steps/work" });
  expect(past.message).toContain("has 2 recorded steps, and step 3 was asked for");
  const keyless = await refusal([{ role: "user", content: "hello" }]);
  expect(keyless).toMatchObject({ status: 422, code: null, message: "no message names a Swarm-Key" });
});

test(`${CONVERSATIONS} concurrent conversations in any order get the answers that each would get alone`, async () => {
  const everyStep = Array.from({ length: CONVERSATIONS * STEPS }, (_, at) => ({
    nth: Math.floor(at / STEPS),
    number: (at % STEPS) + 1,
  }));
  const answers = await Promise.all(
    shuffled(everyStep, seededRandom(7)).map(async ({ nth, number }) => {
      const key = `many/task-${nth}/work`;
      const before = Array.from({ length: number - 1 }, (_, at) => called(`${key}#${at + 1}`));
      const response = await replay.post({ messages: [...ask(key), ...before] });
      const body = (await response.json()) as OpenAI.ChatCompletion;
      return { nth, number, calls: body.choices[0]?.message.tool_calls };
    }),
  );
  expect(answers).toHaveLength(CONVERSATIONS * STEPS);
  for (const { nth, number, calls } of answers) {
    expect(calls).toEqual([
      {
        id: `many/task-${nth}/work#${number}`,
        type: "function",
        function: { name: "write", arguments: JSON.stringify({ path: `t${nth}-${number}.txt` }) },
      },
    ]);
  }
});
