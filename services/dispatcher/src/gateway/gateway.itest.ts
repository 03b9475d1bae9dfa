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

test("the real key is swapped in, the answer passed on and charged at the model's prices", async () => {
  await using backend = await startBackend(json(200, COMPLETION));
  await using gateway = await openGateway(backend.baseUrl);
  const said = await gateway.say({ n: 5, max_tokens: 99_999 });
  expect(said).toMatchObject({ status: 200, whole: true });
  expect(JSON.parse(said.text)).toMatchObject({ choices: [{ message: { content: "hi" } }] });
  expect(backend.asked[0]).toMatchObject({ authorization: "Bearer the-real-key", body: { max_tokens: 500 } });
  expect(backend.asked[0]?.body).not.toHaveProperty("n");
  expect(said.text + JSON.stringify(said.headers)).not.toContain("the-real-key");
  const costUsd = (600 * 1 + 400 * 0.2 + 100 * 3.2) / 1_000_000;
  expect(gateway.charged[0]).toMatchObject({
    tokensIn: 1_000,
    tokensOut: 100,
    tokensCached: 400,
    estimated: false,
  });
  expect(gateway.own.usage().costUsd).toBeCloseTo(costUsd, 12);
});

test("a wrong or expired key is 401, another attempt's 403, a foreign model 403; none reaches the model", async () => {
  await using backend = await startBackend(json(200, COMPLETION));
  await using gateway = await openGateway(backend.baseUrl);
  expect((await gateway.say({}, "swt_nonsense")).status).toBe(401);
  expect((await gateway.say({}, "the-real-key")).status).toBe(401);
  expect((await gateway.say({}, gateway.issue().key)).status).toBe(403);
  expect((await gateway.say({}, gateway.issue({}, -1).key)).status).toBe(401);
  expect((await gateway.say({ model: `${MODEL}-large` })).status).toBe(403);
  gateway.own[Symbol.dispose]();
  expect((await gateway.say({})).status).toBe(401);
  expect(backend.asked).toHaveLength(0);
});

test("over budget in tokens, money or turns is 402, told once", async () => {
  for (const limits of [{ tokens: 1_000 }, { costUsd: 0.000_5 }, { turns: 1 }]) {
    await using backend = await startBackend(json(200, COMPLETION));
    await using gateway = await openGateway(backend.baseUrl, { limits });
    expect((await gateway.say({})).status).toBe(200);
    expect(gateway.own.exhausted()).toBeNull();
    expect((await gateway.say({})).status).toBe(402);
    expect((await gateway.say({})).status).toBe(402);
    expect(backend.asked).toHaveLength(1);
    expect(gateway.exhausted).toHaveLength(1);
  }
});

test("a stream is passed on as it comes, not at its end", async () => {
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
  // The backend goes on only once the first piece has arrived here.
  const [first] = (await once(stream, "data")) as [Buffer];
  expect(first.toString()).toContain("first é");
  goOn();
  let rest = "";
  for await (const data of stream) rest += String(data);
  expect(rest).toContain("last");
  expect(rest.trimEnd().endsWith("data: [DONE]")).toBe(true);
  expect(backend.asked[0]?.body["stream_options"]).toEqual({ include_usage: true });
  // This backend told no usage, so it was counted from the texts and marked.
  expect(gateway.charged[0]).toMatchObject({ estimated: true });
});

test("a truncated tool call ends in `length`, streamed or not", async () => {
  await using backend = await startBackend(
    streamed(chunk({ tool_calls: [BROKEN_CALL] }), chunk({}, "tool_calls")),
    json(200, {
      choices: [{ message: { tool_calls: [BROKEN_CALL] }, finish_reason: "tool_calls" }],
      usage: USAGE,
    }),
  );
  await using gateway = await openGateway(backend.baseUrl);
  for (const stream of [true, false]) {
    const { text } = await gateway.say({ stream });
    expect(text).toContain('"finish_reason":"length"');
    expect(text).not.toContain('"finish_reason":"tool_calls"');
  }
  expect(gateway.own.usage().tokensIn).toBe(2_000);
});

test("429 with Retry-After is honoured, for everyone, and then the answer comes", async () => {
  await using backend = await startBackend(json(429, {}, { "retry-after": "1" }), streamed(...HELLO));
  await using gateway = await openGateway(backend.baseUrl);
  const startedAt = performance.now();
  const said = await gateway.say({ stream: true });
  expect(said.status).toBe(200);
  expect(performance.now() - startedAt).toBeGreaterThan(950);
  expect(backend.asked).toHaveLength(2);
  // One call of the agent, however often it was tried.
  expect(gateway.own.calls()).toBe(1);
});

test("500, garbage, an empty stream and a reset before the first byte are tried again; a refusal is passed on", async () => {
  await using backend = await startBackend(
    json(500, {}),
    (_, response) => response.writeHead(200).end('{"choices": [{"mess'),
    (_, response) => response.writeHead(200, { "content-type": "text/event-stream" }).end(),
    (request) => request.socket.destroy(),
    streamed(...HELLO),
    json(400, { error: { message: "maximum context length exceeded" } }),
  );
  await using gateway = await openGateway(backend.baseUrl);
  expect((await gateway.say({ stream: true })).text).toContain("hel");
  expect(backend.asked).toHaveLength(5);
  const refused = await gateway.say({ stream: true });
  expect(refused).toMatchObject({ status: 400 });
  expect(refused.text).toContain("maximum context length");
  expect(backend.asked).toHaveLength(6);
  expect(gateway.own.unavailable()).toBeNull();
});

test("a backend that stays down is given up on, and known as the infrastructure's trouble", async () => {
  await using backend = await startBackend(json(503, { error: "down" }, { "retry-after": "0" }));
  await using gateway = await openGateway(backend.baseUrl);
  expect((await gateway.say({})).status).toBe(503);
  expect(backend.asked).toHaveLength(5);
  expect(gateway.own.unavailable()).toContain("503");
  expect(gateway.charged).toHaveLength(0);
});

test("what breaks off after bytes were passed on is not tried again, and shows as broken", async () => {
  const cut = (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(chunk({ content: "I will" })), () => setTimeout(() => response.destroy(), 50));
  };
  await using backend = await startBackend((_, response) => cut(response));
  await using gateway = await openGateway(backend.baseUrl);
  const said = await gateway.say({ stream: true });
  expect(said.text).toContain("I will");
  expect(said.text).not.toContain("[DONE]");
  expect(said.whole).toBe(false);
  expect(backend.asked).toHaveLength(1);
  expect(gateway.charged[0]).toMatchObject({ estimated: true });
});

test("a silent backend is waited for only so long, before and within a stream", async () => {
  await using backend = await startBackend(
    (_, response) => response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders(),
    (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(event(chunk({ content: "and then" })));
    },
  );
  await using gateway = await openGateway(backend.baseUrl, { timeouts: { firstMs: 200, betweenMs: 200 } });
  const said = await gateway.say({ stream: true });
  expect(said.text).toContain("and then");
  expect(said.whole).toBe(false);
  expect(backend.asked).toHaveLength(2);
});

test("when the sandbox goes, the call to the model is given up", async () => {
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
