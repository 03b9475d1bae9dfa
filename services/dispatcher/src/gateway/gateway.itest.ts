import type { ServerResponse } from "node:http";
import { once } from "node:events";
import { expect, test } from "vitest";
import {
  chunk,
  event,
  HELLO,
  json,
  startBackend,
  streamed,
  USAGE,
  type Reply,
} from "../../../../test/support/scripted-backend.ts";
import { MODEL, openGateway } from "../../testing/open-gateway.ts";

const COMPLETION = {
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
};
const BROKEN_CALL = {
  index: 0,
  id: "x",
  function: { name: "write", arguments: '{"path":"a.txt","content":"ha' },
};

test("a call goes out with the backend's key and is charged at the model's prices", async () => {
  await using backend = await startBackend(json(200, COMPLETION));
  await using gateway = await openGateway(backend.baseUrl);
  const answer = await gateway.call({ n: 5, max_tokens: 99_999 });
  expect(answer).toMatchObject({ status: 200, whole: true });
  expect(JSON.parse(answer.text)).toMatchObject({ choices: [{ message: { content: "hi" } }] });
  expect(backend.asked[0]).toMatchObject({ authorization: "Bearer the-real-key", body: { max_tokens: 500 } });
  expect(backend.asked[0]?.body).not.toHaveProperty("n");
  expect(answer.text + JSON.stringify(answer.headers)).not.toContain("the-real-key");
  const costUsd = (600 * 1 + 400 * 0.2 + 100 * 3.2) / 1_000_000;
  expect(gateway.charged[0]).toMatchObject({
    tokensIn: 1_000,
    tokensOut: 100,
    tokensCached: 400,
    estimated: false,
  });
  expect(gateway.own.usage().costUsd).toBeCloseTo(costUsd, 12);
});

test("a call with a key that is not valid at this door, or for another model, never reaches the model", async () => {
  await using backend = await startBackend(json(200, COMPLETION));
  await using gateway = await openGateway(backend.baseUrl);
  expect((await gateway.call({}, "swt_nonsense")).status).toBe(401);
  expect((await gateway.call({}, "the-real-key")).status).toBe(401);
  expect((await gateway.call({}, gateway.issue().key)).status).toBe(403);
  expect((await gateway.call({}, gateway.issue({}, -1).key)).status).toBe(401);
  expect((await gateway.call({ model: `${MODEL}-large` })).status).toBe(403);
  gateway.own[Symbol.dispose]();
  expect((await gateway.call({})).status).toBe(401);
  expect(backend.asked).toHaveLength(0);
});

test("a call beyond the limit of tokens, cost or turns is answered 402", async () => {
  for (const limits of [{ tokens: 1_000 }, { costUsd: 0.000_5 }, { turns: 1 }]) {
    await using backend = await startBackend(json(200, COMPLETION));
    await using gateway = await openGateway(backend.baseUrl, { limits });
    expect((await gateway.call({})).status).toBe(200);
    expect(gateway.own.exhausted()).toBeNull();
    expect((await gateway.call({})).status).toBe(402);
    expect((await gateway.call({})).status).toBe(402);
    expect(backend.asked).toHaveLength(1);
    expect(gateway.exhausted).toHaveLength(1);
  }
});

test("the chunks of a stream are passed on as they arrive", async () => {
  const { promise: seen, resolve: goOn } = Promise.withResolvers<void>();
  await using backend = await startBackend((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`: keep-alive\n\n${event(chunk({ content: "first é" }))}`);
    void seen.then(() =>
      response.end(event(chunk({ content: "last" })) + event(chunk({}, "stop")) + event("[DONE]")),
    );
  });
  await using gateway = await openGateway(backend.baseUrl);
  const stream = gateway.ask({ stream: true });
  // The backend continues only after the first chunk has arrived here.
  const [first] = (await once(stream, "data")) as [Buffer];
  expect(first.toString()).toContain("first é");
  goOn();
  let rest = "";
  for await (const data of stream) rest += String(data);
  expect(rest).toContain("last");
  expect(rest.trimEnd().endsWith("data: [DONE]")).toBe(true);
  expect(backend.asked[0]?.body["stream_options"]).toEqual({ include_usage: true });
  // This backend reports no usage, so the usage is estimated from the texts.
  expect(gateway.charged[0]).toMatchObject({ estimated: true });
});

test("an answer without usage, or with one that cannot be right, is charged by its text", async () => {
  const content = "I have read the three files and will now change the first one.";
  const stream =
    (usage?: object): Reply =>
    (_, response) => {
      const events = [chunk({ content }), chunk({}, "stop"), { choices: [], usage }, "[DONE]"];
      response.writeHead(200, { "content-type": "text/event-stream" }).end(events.map(event).join(""));
    };
  const whole = (usage?: object) =>
    json(200, { choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }], usage });
  const odd = { prompt_tokens: -500, completion_tokens: 1e16 };
  await using backend = await startBackend(stream(), stream(odd), whole(odd), whole());
  await using gateway = await openGateway(backend.baseUrl);
  for (const streaming of [true, true, false, false]) await gateway.call({ stream: streaming });
  // "hello" and the marks of one message; 14 tokens in o200k.
  for (const usage of gateway.charged)
    expect(usage).toMatchObject({ tokensIn: 5, tokensOut: 14, estimated: true });
  expect(gateway.charged).toHaveLength(4);
  expect(gateway.own.usage().costUsd).toBeCloseTo((4 * (5 * 1 + 14 * 3.2)) / 1_000_000, 12);
});

test("a stream that is cut off before its usage has the cached share of the attempt's earlier calls", async () => {
  const cut: Reply = (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(chunk({ content: "I will" })), () => setTimeout(() => response.destroy(), 20));
  };
  await using backend = await startBackend(json(200, COMPLETION), cut);
  await using gateway = await openGateway(backend.baseUrl);
  const messages = [{ role: "user", content: "word ".repeat(500) }];
  await gateway.call({ messages });
  await gateway.call({ messages, stream: true });
  // Of the first call's 1,000 tokens the backend had 400 in its cache.
  const [, second] = gateway.charged;
  expect(second).toMatchObject({ estimated: true });
  expect((second?.tokensCached ?? 0) / (second?.tokensIn ?? 1)).toBeCloseTo(0.4, 2);
});

test("an answer with a truncated tool call has the finish_reason `length`", async () => {
  await using backend = await startBackend(
    streamed(chunk({ tool_calls: [BROKEN_CALL] }), chunk({}, "tool_calls")),
    json(200, {
      choices: [{ message: { tool_calls: [BROKEN_CALL] }, finish_reason: "tool_calls" }],
      usage: USAGE,
    }),
  );
  await using gateway = await openGateway(backend.baseUrl);
  for (const stream of [true, false]) {
    const { text } = await gateway.call({ stream });
    expect(text).toContain('"finish_reason":"length"');
    expect(text).not.toContain('"finish_reason":"tool_calls"');
  }
  expect(gateway.own.usage().tokensIn).toBe(2_000);
});

test("after a 429 the gateway waits for Retry-After and retries", async () => {
  await using backend = await startBackend(json(429, {}, { "retry-after": "1" }), streamed(...HELLO));
  await using gateway = await openGateway(backend.baseUrl);
  const startedAt = performance.now();
  const answer = await gateway.call({ stream: true });
  expect(answer.status).toBe(200);
  expect(performance.now() - startedAt).toBeGreaterThan(950);
  expect(backend.asked).toHaveLength(2);
  // Retries do not count as calls of the agent.
  expect(gateway.own.calls()).toBe(1);
});

test("failures before the first byte are retried, and a refusal is not", async () => {
  await using backend = await startBackend(
    json(500, {}),
    (_, response) => response.writeHead(200).end('{"choices": [{"mess'),
    (_, response) => response.writeHead(200, { "content-type": "text/event-stream" }).end(),
    (request) => request.socket.destroy(),
    streamed(...HELLO),
    json(400, { error: { message: "maximum context length exceeded" } }),
  );
  await using gateway = await openGateway(backend.baseUrl);
  expect((await gateway.call({ stream: true })).text).toContain("hel");
  expect(backend.asked).toHaveLength(5);
  const refused = await gateway.call({ stream: true });
  expect(refused).toMatchObject({ status: 400 });
  expect(refused.text).toContain("maximum context length");
  expect(backend.asked).toHaveLength(6);
  expect(gateway.own.unavailable()).toBeNull();
});

test("a backend that stays down is reported as unavailable after five tries", async () => {
  await using backend = await startBackend(json(503, { error: "down" }, { "retry-after": "0" }));
  await using gateway = await openGateway(backend.baseUrl);
  expect((await gateway.call({})).status).toBe(503);
  expect(backend.asked).toHaveLength(5);
  expect(gateway.own.unavailable()).toContain("503");
  expect(gateway.charged).toHaveLength(0);
});

test("an answer that breaks off after its first byte is not retried, and its stream is reset", async () => {
  const cut = (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(chunk({ content: "I will" })), () => setTimeout(() => response.destroy(), 50));
  };
  await using backend = await startBackend((_, response) => cut(response));
  await using gateway = await openGateway(backend.baseUrl);
  const answer = await gateway.call({ stream: true });
  expect(answer.text).toContain("I will");
  expect(answer.text).not.toContain("[DONE]");
  expect(answer.whole).toBe(false);
  expect(backend.asked).toHaveLength(1);
  expect(gateway.charged[0]).toMatchObject({ estimated: true });
});

test("a silent backend runs into a timeout, before the first byte and between chunks", async () => {
  await using backend = await startBackend(
    (_, response) => response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders(),
    (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(event(chunk({ content: "and then" })));
    },
  );
  await using gateway = await openGateway(backend.baseUrl, { timeouts: { firstMs: 200, betweenMs: 200 } });
  const answer = await gateway.call({ stream: true });
  expect(answer.text).toContain("and then");
  expect(answer.whole).toBe(false);
  expect(backend.asked).toHaveLength(2);
});

test("the call to the model is aborted when its sandbox is gone", async () => {
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  await using backend = await startBackend((_, response) => {
    response.once("close", onClosed);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(chunk({ content: "a long" })));
  });
  await using gateway = await openGateway(backend.baseUrl);
  const stream = gateway.ask({ stream: true });
  stream.on("error", () => undefined);
  await once(stream, "data");
  stream.close(8);
  await closed;
  await expect.poll(() => gateway.charged.length).toBe(1);
});
