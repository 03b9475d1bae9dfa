import { expect, test } from "vitest";
import {
  chunk,
  event,
  HELLO,
  json,
  startBackend,
  streamed,
} from "../../../../test/support/scripted-backend.ts";
import { ask, backendAt, readAll, answeredBy } from "../../testing/ask-router.ts";
import { createRouter } from "./router.ts";

const OK = json(200, { choices: [] });
/** A retry at the same backend would take this long. */
const LATER = { "retry-after": "30" };

test.each([
  ["500", json(500, {}, LATER)],
  ["429", json(429, {}, LATER)],
  ["a cold start", json(400, { error: "no workers available" }, LATER)],
  ["524", json(524, {}, LATER)],
  ["garbage", json(200, [])],
  ["an error in a 200", json(200, { error: { message: "the engine has died" } })],
  ["a refused key", json(401, {}, LATER)],
] as const)("after %s the next backend is called at once, with its own key and model", async (_, bad) => {
  await using first = await startBackend(bad);
  await using second = await startBackend(OK);
  const router = createRouter([
    backendAt("first", first.baseUrl),
    backendAt("second", second.baseUrl, { priority: 2 }),
  ]);
  const startedAt = performance.now();
  expect(answeredBy(await ask(router))).toBe("second");
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  expect(second.asked).toEqual([
    { authorization: "Bearer key-of-second", body: { model: "model-of-second", messages: [] } },
  ]);
});

test("after a refused connection the next backend is called", async () => {
  const gone = await startBackend(OK);
  await gone[Symbol.asyncDispose]();
  await using second = await startBackend(OK);
  const backends = [backendAt("gone", gone.baseUrl), backendAt("second", second.baseUrl, { priority: 2 })];
  expect(answeredBy(await ask(createRouter(backends)))).toBe("second");
});

test("the number of tries is bounded over all backends together", async () => {
  await using first = await startBackend(json(500, {}));
  await using second = await startBackend(json(502, {}));
  const backends = [backendAt("first", first.baseUrl), backendAt("second", second.baseUrl, { priority: 2 })];
  const answer = await ask(createRouter(backends));
  expect(answer).toMatchObject({ kind: "refused", unavailable: true });
  expect([first.asked.length, second.asked.length]).toEqual([3, 2]);
});

test("with the retry policy `once` every backend is called once, without waiting", async () => {
  await using first = await startBackend(json(500, {}));
  await using second = await startBackend(json(429, {}, { "retry-after": "30" }));
  const backends = [backendAt("first", first.baseUrl), backendAt("second", second.baseUrl, { priority: 2 })];
  const router = createRouter(backends, { breaker: { failures: 1, probeAfterMs: 60_000 } });
  expect(await ask(router, { retry: "once" })).toMatchObject({ status: 429, retryAfter: "30" });
  expect([first.asked.length, second.asked.length]).toEqual([1, 1]);
  // One is down and one is paused: no backend is called, and Retry-After says when to retry.
  const later = await ask(router, { retry: "once" });
  expect(later).toMatchObject({ kind: "refused", status: 503, unavailable: true });
  expect(Number(later.kind === "refused" && later.retryAfter)).toBeGreaterThan(25);
  expect([first.asked.length, second.asked.length]).toEqual([1, 1]);
});

test("an invalid request is not sent to another backend", async () => {
  await using first = await startBackend(json(400, { error: { message: "maximum context length" } }));
  await using second = await startBackend(OK);
  const backends = [backendAt("first", first.baseUrl), backendAt("second", second.baseUrl, { priority: 2 })];
  expect(await ask(createRouter(backends))).toMatchObject({
    status: 400,
    cause: "overflow",
    unavailable: false,
  });
  expect(second.asked).toHaveLength(0);
});

test.each([false, true])(
  "an overlong prompt is recognized in a refusal without an `error` (streamed: %s)",
  async (streamed) => {
    await using only = await startBackend(json(400, { message: "maximum context length is 1000 tokens" }));
    expect(await ask(createRouter([backendAt("only", only.baseUrl)]), { streamed })).toMatchObject({
      cause: "overflow",
      message: expect.stringContaining("maximum context length is 1000 tokens"),
    });
  },
);

test("a cold endpoint that is the only backend is retried past the number of tries", async () => {
  const cold = json(400, { error: "no workers available" });
  await using only = await startBackend(cold, cold, cold, cold, cold, cold, cold, cold, OK);
  const router = createRouter([backendAt("only", only.baseUrl)], { timeouts: { coldMs: 10 } });
  expect(answeredBy(await ask(router))).toBe("only");
  expect(only.asked).toHaveLength(9);
});

test("a stream is not retried after its first event", async () => {
  await using first = await startBackend((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(event(chunk({ content: "I will" })), () => setTimeout(() => response.destroy(), 20));
  });
  await using second = await startBackend(streamed(...HELLO));
  const backends = [backendAt("first", first.baseUrl), backendAt("second", second.baseUrl, { priority: 2 })];
  const answer = await ask(createRouter(backends), { streamed: true });
  expect(answeredBy(answer)).toBe("first");
  await expect(readAll(answer)).rejects.toThrow();
  expect([first.asked.length, second.asked.length]).toEqual([1, 0]);
});

test("a cancelled call is not sent to another backend", async () => {
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
  const controller = new AbortController();
  await using first = await startBackend((_, response) => {
    response.once("close", onClosed);
    controller.abort(new Error("the sandbox is gone"));
  });
  await using second = await startBackend(OK);
  const backends = [backendAt("first", first.baseUrl), backendAt("second", second.baseUrl, { priority: 2 })];
  const asking = ask(createRouter(backends), { signal: controller.signal });
  await expect(asking).rejects.toThrow("the sandbox is gone");
  await closed;
  expect(second.asked).toHaveLength(0);
});
