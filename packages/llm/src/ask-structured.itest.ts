import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { z } from "zod";
import { askStructured } from "./ask-structured.ts";
import { resolveBackends } from "./backends/resolve-backends.ts";
import { createModel } from "./model.ts";
import { createRouter } from "./router/router.ts";

interface Asked {
  readonly messages: { role: string; content: string }[];
  readonly response_format?: object;
}
type Reply = (response: ServerResponse) => void;

const USAGE = { prompt_tokens: 100, completion_tokens: 10 };
const say =
  (content: string): Reply =>
  (response) => {
    const body = {
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      usage: USAGE,
    };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
const refuse =
  (status: number, headers = {}): Reply =>
  (response) => {
    response
      .writeHead(status, { "content-type": "application/json", ...headers })
      .end('{"error":{"message":"no"}}');
  };

/** Asks a real server that gives these replies in order. */
async function ask(replies: Reply[], jsonSchema = false) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      asked.push(JSON.parse(text) as Asked);
      replies[asked.length - 1]?.(response);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const entry = { name: "one", baseUrl, jsonSchema };
  const settings = { LLM_MODEL: "glm-5", LLM_BACKENDS: JSON.stringify([entry]) };
  const model = createModel(createRouter(resolveBackends(settings, {})), { maxTokens: 100, temperature: 0 });
  const question = { system: "Plan.", user: "A thing", schema: z.object({ n: z.int() }), key: "f/-/plan" };
  try {
    return {
      asked,
      answer: await askStructured(model, question).catch((e: unknown) => e),
    };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("an answer is read out of reasoning and code fences", async () => {
  const { answer, asked } = await ask([say('<think>{"n": 0}</think>\n```json\n{"n": 7}\n```')]);
  expect(answer).toMatchObject({
    value: { n: 7 },
    usage: { tokensIn: 100, tokensOut: 10, estimated: false, backend: "one", model: "glm-5" },
  });
  expect(asked[0]?.messages[0]?.content).toContain("Swarm-Key: f/-/plan");
  expect(asked[0]?.response_format).toEqual({ type: "json_object" });
});

test("a backend that can enforce a schema gets it", async () => {
  const { answer, asked } = await ask([say('I see {"n": 1}</think>{"n": 7}<think>{"n": 2')], true);
  expect(answer).toMatchObject({ value: { n: 7 } });
  expect(asked[0]?.response_format).toMatchObject({
    type: "json_schema",
    json_schema: { name: "answer", schema: { properties: { n: { type: "integer" } }, required: ["n"] } },
  });
  // The prompt contains the schema too.
  expect(asked[0]?.messages[0]?.content).toContain("of this schema");
});

test("an answer without usage is taken, and its usage is estimated from the texts", async () => {
  const reply: Reply = (response) => {
    const choices = [
      { index: 0, message: { role: "assistant", content: '{"n": 7}' }, finish_reason: "stop" },
    ];
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ choices }));
  };
  const { answer, asked } = await ask([reply]);
  expect(answer).toMatchObject({ value: { n: 7 }, usage: { tokensOut: 5, estimated: true } });
  expect(asked).toHaveLength(1);
});

test("an answer that does not match is sent back once with the error", async () => {
  const { answer, asked } = await ask([say('{"n": "seven"}'), say('{"n": 7}')]);
  expect(answer).toMatchObject({ value: { n: 7 }, usage: { tokensIn: 200, tokensOut: 20 } });
  expect(asked[1]?.messages.at(-1)?.content).toContain("does not match");
});

test("a second mismatch is a failure that is not retried", async () => {
  const { answer, asked } = await ask([say("I would rather not"), say("[")]);
  expect(answer).toMatchObject({ code: "model.invalid", retryable: false });
  expect(asked).toHaveLength(2);
});

test("an overload is a retryable fault, a refused request is not, and a refused key waits for the operator", async () => {
  const busy = await ask([refuse(429, { "retry-after": "7" })]);
  expect(busy.answer).toMatchObject({ code: "model.unavailable", retryable: true, retryAfterMs: 7_000 });
  expect(busy.asked).toHaveLength(1);
  expect((await ask([refuse(529)])).answer).toMatchObject({ code: "model.unavailable", retryable: true });
  expect((await ask([refuse(422)])).answer).toMatchObject({ code: "model.refused", retryable: false });
  expect((await ask([refuse(401)])).answer).toMatchObject({
    code: "model.refused",
    source: "operator",
    retryable: true,
    message: "the model refuses calls: one answered 401 no: set keyVar of one in LLM_BACKENDS",
  });
  expect((await ask([(response) => response.destroy()])).answer).toMatchObject({ code: "model.unavailable" });
});
