import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { chunk, event, json, startBackend } from "../../../../test/support/scripted-backend.ts";
import { ask, backendAt, readAll, answeredBy } from "../../testing/ask-router.ts";
import { createRouter } from "./router.ts";

const LONG = { connectMs: 60_000, firstMs: 60_000, betweenMs: 60_000, wholeMs: 60_000 };

test("connecting has its own timeout", async () => {
  // It accepts connections and never sends a byte, so the TLS handshake never ends.
  const silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`;
  await using slow = await startBackend((request, response) => {
    setTimeout(() => json(200, { choices: [] })(request, response, {}), 800);
  });
  const backends = [backendAt("silent", url), backendAt("slow", slow.baseUrl, { priority: 2 })];
  const router = createRouter(backends, { timeouts: { ...LONG, connectMs: 500 } });
  try {
    expect(answeredBy(await ask(router))).toBe("slow");
    const alone = createRouter([backendAt("silent", url)], { timeouts: { ...LONG, connectMs: 500 } });
    const answer = await ask(alone, { retry: "once" });
    expect(answer).toMatchObject({
      status: 502,
      message: expect.stringContaining("no connection within 500 ms"),
    });
  } finally {
    silent.close();
  }
});

test("the first event, the next piece and a whole answer each have their own timeout", async () => {
  await using silent = await startBackend((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  });
  const one = [backendAt("one", silent.baseUrl)];
  const first = createRouter(one, { timeouts: { ...LONG, firstMs: 100 } });
  expect(await ask(first, { streamed: true, retry: "once" })).toMatchObject({
    message: expect.stringContaining("silent for 100 ms"),
  });
  const whole = createRouter(one, { timeouts: { ...LONG, wholeMs: 120 } });
  expect(await ask(whole, { retry: "once" })).toMatchObject({
    message: expect.stringContaining("silent for 120 ms"),
  });
  await using stalling = await startBackend((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(chunk({ content: "and then" })));
  });
  const between = createRouter([backendAt("two", stalling.baseUrl)], {
    timeouts: { ...LONG, betweenMs: 100 },
  });
  const answer = await ask(between, { streamed: true });
  await expect(readAll(answer)).rejects.toThrow("silent for 100 ms");
});

test("keep-alive comments restart the timeout of a stream", async () => {
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
  const router = createRouter([backendAt("slow", slow.baseUrl)], { timeouts: { ...LONG, betweenMs: 1_000 } });
  expect(await readAll(await ask(router, { streamed: true }))).toHaveLength(2);
});
