import { expect, test } from "vitest";
import { ask, openReplay } from "../testing/open-replay.ts";

const scenario = (kind: string, times = 1) => `
- key: bad/-/work
  injectFault: { kind: "${kind}", times: ${times} }
  steps: [{ say: All is well. }]
`;
const BODY = { messages: ask("bad/-/work"), stream: true };

interface Chunk {
  choices: {
    delta: { content?: string; tool_calls?: { id?: string; function: { arguments: string } }[] };
    finish_reason: string | null;
  }[];
}

/** The JSON events of a stream, and whether it ended with [DONE]. */
function eventsOf(text: string): { chunks: Chunk[]; done: boolean } {
  const lines = text.split("\n\n").filter((line) => line.startsWith("data: "));
  const data = lines.map((line) => line.slice("data: ".length));
  const chunks = data.filter((line) => line !== "[DONE]").map((line) => JSON.parse(line) as Chunk);
  return { chunks, done: data.at(-1) === "[DONE]" };
}

/** The text of a body until it ends or breaks off. */
async function readBroken(response: Response): Promise<{ text: string; broken: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    return { text, broken: false };
  } catch {
    return { text, broken: true };
  }
}

test("429 has a Retry-After, and the recorded answer comes after `times` requests", async () => {
  await using replay = await openReplay(scenario("429", 2));
  for (let nth = 0; nth < 2; nth += 1) {
    const response = await replay.post(BODY);
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject({ error: { message: "too many requests" } });
  }
  const well = await replay.post(BODY);
  expect(well.status).toBe(200);
  expect(await well.text()).toContain("All is well.");
});

test("OpenAI's client reports 429 and 500 with their status", async () => {
  for (const [kind, status] of [
    ["429", 429],
    ["500", 500],
  ] as const) {
    await using replay = await openReplay(scenario(kind));
    const asking = replay.client.chat.completions.create({ model: "m", messages: ask("bad/-/work") });
    await expect(asking).rejects.toMatchObject({ status });
  }
});

test("500 is a JSON error", async () => {
  await using replay = await openReplay(scenario("500"));
  const response = await replay.post(BODY);
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ error: { message: "the engine has crashed" } });
});

test("a stall sends headers and nothing more until the server closes", async () => {
  const replay = await openReplay(scenario("stall"));
  const response = await replay.post(BODY);
  expect(response.status).toBe(200);
  const reading = readBroken(response);
  // A later request is answered while the stalled one waits.
  expect(await (await replay.post(BODY)).text()).toContain("All is well.");
  await replay[Symbol.asyncDispose]();
  expect(await reading).toEqual({ text: "", broken: true });
});

test("a cut stream breaks off after its first chunks", async () => {
  await using replay = await openReplay(scenario("cut"));
  const response = await replay.post(BODY);
  expect(response.status).toBe(200);
  const { text, broken } = await readBroken(response);
  expect(broken).toBe(true);
  expect(text).toContain("I will");
  expect(eventsOf(text).done).toBe(false);
  expect(text).not.toContain('finish_reason":"');
});

test("malformed is a 200 with truncated JSON", async () => {
  await using replay = await openReplay(scenario("malformed"));
  const response = await replay.post(BODY);
  expect(response.status).toBe(200);
  const text = await response.text();
  expect(text).toContain("choices");
  expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
});

test("a partial tool call ends without an error but with invalid arguments", async () => {
  await using replay = await openReplay(scenario("partial-tool-call"));
  const { chunks, done } = eventsOf(await (await replay.post(BODY)).text());
  const choices = chunks.flatMap((chunk) => chunk.choices);
  const args = choices
    .flatMap((choice) => choice.delta.tool_calls ?? [])
    .map((call) => call.function.arguments);
  expect(args.join("")).toContain('"path":"a.txt"');
  expect(() => JSON.parse(args.join("")) as unknown).toThrow(SyntaxError);
  expect(choices.at(-1)?.finish_reason).toBe("tool_calls");
  expect(done).toBe(true);
});

test("a loop is the same tool call each time, with a new id", async () => {
  const rounds = 20;
  await using replay = await openReplay(scenario("loop", rounds));
  const ids = new Set<string>();
  for (let nth = 0; nth < rounds; nth += 1) {
    const { chunks } = eventsOf(await (await replay.post(BODY)).text());
    const calls = chunks.flatMap((chunk) => chunk.choices).flatMap((choice) => choice.delta.tool_calls ?? []);
    expect(JSON.parse(calls.map((call) => call.function.arguments).join(""))).toEqual({ path: "." });
    ids.add(calls[0]?.id ?? "");
  }
  expect(ids.size).toBe(rounds);
  expect(await (await replay.post(BODY)).text()).toContain("All is well.");
});
