import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { chunk, event, json, startBackend } from "../../../../test/support/scripted-backend.ts";
import { ask, backendAt, readAll, who } from "../../testing/ask-router.ts";
import { createRouter } from "./router.ts";

const LONG = { connectMs: 60_000, firstMs: 60_000, betweenMs: 60_000, wholeMs: 60_000 };

test("connecting has a deadline of its own, and it is not that of the answer", async () => {
  // It takes the connection and never says a word, so that no TLS comes about.
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`;
  await using slow = await startBackend((request, response) => {
    setTimeout(() => json(200, { choices: [] })(request, response, {}), 800);
  });
  const backends = [backendAt("silent", url), backendAt("slow", slow.baseUrl, { priority: 2 })];
  const router = createRouter(backends, { patience: { ...LONG, connectMs: 500 } });
  try {
    expect(who(await ask(router))).toBe("slow");
    const alone = createRouter([backendAt("silent", url)], { patience: { ...LONG, connectMs: 500 } });
    const answer = await ask(alone, { manner: "once" });
    expect(answer).toMatchObject({
      status: 502,
      message: expect.stringContaining("no connection within 500 ms"),
    });
  } finally {
    silent.close();
  }
});

test("the first event, the next piece and a whole answer have each a deadline of their own", async () => {
  await using silent = await startBackend((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  });
  const one = [backendAt("one", silent.baseUrl)];
  const first = createRouter(one, { patience: { ...LONG, firstMs: 100 } });
  expect(await ask(first, { streamed: true, manner: "once" })).toMatchObject({
    message: expect.stringContaining("silent for 100 ms"),
  });
  const whole = createRouter(one, { patience: { ...LONG, wholeMs: 120 } });
  expect(await ask(whole, { manner: "once" })).toMatchObject({
    message: expect.stringContaining("silent for 120 ms"),
  });
  await using stalling = await startBackend((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(chunk({ content: "and then" })));
  });
  const between = createRouter([backendAt("two", stalling.baseUrl)], {
    patience: { ...LONG, betweenMs: 100 },
  });
  const answer = await ask(between, { streamed: true });
  await expect(readAll(answer)).rejects.toThrow("silent for 100 ms");
});

test("keep-alive comments are signs of life", async () => {
  await using slow = await startBackend((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(chunk({ content: "let me see" })));
    let signs = 0;
    const timer = setInterval(() => {
      response.write(": still here\n\n");
      signs += 1;
      if (signs < 15) return;
      clearInterval(timer);
      response.end(event(chunk({}, "stop")));
    }, 100);
  });
  const router = createRouter([backendAt("slow", slow.baseUrl)], { patience: { ...LONG, betweenMs: 1_000 } });
  expect(await readAll(await ask(router, { streamed: true }))).toHaveLength(2);
});
