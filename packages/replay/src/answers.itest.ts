import type OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, openReplay, type TestReplay } from "../testing/open-replay.ts";

const SCENARIO = `
- key: kit/slug/work
  steps:
    - say: Looking.
      calls: [{ tool: ls, args: { path: . } }]
    - calls:
        - { tool: write, args: { path: a.txt, content: "one \\"quoted\\" é\\n" } }
        - { tool: bash, args: { command: ls } }
    - say: Done.
- key: kit/-/plan
  answer: { tasks: [{ key: slug, title: Add slug }] }
`;

let replay: TestReplay;
beforeAll(async () => {
  replay = await openReplay(SCENARIO);
});
afterAll(() => replay[Symbol.asyncDispose]());

type Message = OpenAI.ChatCompletionMessageParam;

/** The conversation before step 2, as an agent sends it. */
function afterFirstStep(): Message[] {
  return [
    ...ask("kit/slug/work"),
    {
      role: "assistant",
      content: "Looking.",
      tool_calls: [
        { id: "kit/slug/work#1", type: "function", function: { name: "ls", arguments: '{"path":"."}' } },
      ],
    },
    { role: "tool", tool_call_id: "kit/slug/work#1", content: "src" },
  ];
}

const CALLS = [
  ["kit/slug/work#2", "write", { path: "a.txt", content: 'one "quoted" é\n' }],
  ["kit/slug/work#2.1", "bash", { command: "ls" }],
];

test("a step is answered with text and with tool calls whose ids name the step", async () => {
  const first = await replay.client.chat.completions.create({ model: "m", messages: ask("kit/slug/work") });
  expect(first).toMatchObject({ object: "chat.completion", model: "m" });
  const [choice] = first.choices;
  expect(choice).toMatchObject({ finish_reason: "tool_calls", message: { content: "Looking." } });
  expect(choice?.message.tool_calls).toEqual([
    { id: "kit/slug/work#1", type: "function", function: { name: "ls", arguments: '{"path":"."}' } },
  ]);

  const second = await replay.client.chat.completions.create({ model: "m", messages: afterFirstStep() });
  const calls = second.choices[0]?.message.tool_calls?.map((call) =>
    call.type === "function"
      ? [call.id, call.function.name, JSON.parse(call.function.arguments)]
      : [call.type],
  );
  expect(calls).toEqual(CALLS);
});

test("a streamed step has its arguments in fragments", async () => {
  const stream = await replay.client.chat.completions.create({
    model: "m",
    messages: afterFirstStep(),
    stream: true,
    stream_options: { include_usage: true },
  });
  const calls = new Map<number, { id?: string; name?: string; args: string; parts: number }>();
  let finish: string | null = null;
  let usage: OpenAI.CompletionUsage | null | undefined;
  for await (const chunk of stream) {
    usage ??= chunk.usage;
    const [choice] = chunk.choices;
    finish ??= choice?.finish_reason ?? null;
    for (const part of choice?.delta.tool_calls ?? []) {
      const call = calls.get(part.index) ?? { args: "", parts: 0 };
      if (part.id !== undefined) call.id = part.id;
      if (part.function?.name !== undefined) call.name = part.function.name;
      call.args += part.function?.arguments ?? "";
      calls.set(part.index, { ...call, parts: call.parts + 1 });
    }
  }
  expect(finish).toBe("tool_calls");
  expect([...calls.values()].map((call) => [call.id, call.name, JSON.parse(call.args)])).toEqual(CALLS);
  expect(Math.min(...[...calls.values()].map((call) => call.parts))).toBeGreaterThan(1);
  expect(usage?.total_tokens).toBeGreaterThan(0);
});

test("a stream is server-sent events that end in [DONE]", async () => {
  const response = await replay.post({ stream: true, messages: ask("kit/slug/work") });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const events = (await response.text()).split("\n\n").filter((event) => event !== "");
  expect(events.every((event) => event.startsWith("data: "))).toBe(true);
  expect(events.at(-1)).toBe("data: [DONE]");
  expect(events.join("")).toContain('"content":"Looking."');
  expect(events.join("")).not.toContain('"usage"');
});

test("a step without calls ends with finish_reason stop", async () => {
  const messages: Message[] = [
    ...afterFirstStep(),
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "kit/slug/work#2", type: "function", function: { name: "write", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "kit/slug/work#2", content: "written" },
  ];
  const { choices } = await replay.client.chat.completions.create({ model: "m", messages });
  expect(choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "Done." } });
  expect(choices[0]?.message.tool_calls).toBeUndefined();
});

test("a structured answer is the recorded JSON", async () => {
  const response_format = {
    type: "json_schema",
    json_schema: { name: "plan", strict: true, schema: { type: "object" } },
  } as const;
  const body = { model: "m", messages: ask("kit/-/plan"), response_format };
  const { choices } = await replay.client.chat.completions.create(body);
  expect(choices[0]?.finish_reason).toBe("stop");
  const expected = { tasks: [{ key: "slug", title: "Add slug" }] };
  expect(JSON.parse(choices[0]?.message.content ?? "")).toEqual(expected);

  let text = "";
  const stream = await replay.client.chat.completions.create({ ...body, stream: true });
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(JSON.parse(text)).toEqual(expected);
});

test("usage grows with the lengths of prompt and answer", async () => {
  const usageOf = async (messages: Message[]) => {
    const { usage } = await replay.client.chat.completions.create({ model: "m", messages });
    if (usage === undefined) throw new Error("no usage was reported");
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
    return usage;
  };
  const short = await usageOf(ask("kit/slug/work", "x"));
  const long = await usageOf(ask("kit/slug/work", "x".repeat(4_001)));
  expect(long.prompt_tokens - short.prompt_tokens).toBe(1_000);
  expect(long.completion_tokens).toBe(short.completion_tokens);
  const twoCalls = await usageOf(afterFirstStep());
  expect(twoCalls.completion_tokens).toBeGreaterThan(short.completion_tokens);
});

test("the list of models names the recorded one", async () => {
  const models = await replay.client.models.list();
  expect(models.data.map((model) => [model.id, model.owned_by])).toEqual([["recorded", "agentswarm-replay"]]);
});

test("an invalid request is a 400 that names the field", async () => {
  const response = await replay.post({ messages: [] });
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("messages");
});
