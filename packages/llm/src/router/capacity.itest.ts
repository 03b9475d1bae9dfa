import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import {
  HELLO,
  json,
  startBackend,
  streamed,
  type Reply,
} from "../../../../test/support/scripted-backend.ts";
import { ask, backendAt, readAll, answeredBy } from "../../testing/ask-router.ts";
import { createRouter } from "./router.ts";

const OK = json(200, { choices: [] });

/** A server that holds every request until the test answers it. */
async function startHolding() {
  const held: ServerResponse[] = [];
  const hold: Reply = (_, response) => void held.push(response);
  const backend = await startBackend(hold);
  return {
    backend,
    held,
    answer: (response: ServerResponse | undefined, reply = OK) =>
      response && reply(response.req, response, {}),
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}

test("calls above the limit of the first backend overflow to the next", async () => {
  await using first = await startHolding();
  await using second = await startBackend(OK);
  const router = createRouter([
    backendAt("first", first.backend.baseUrl, { concurrency: 1 }),
    backendAt("second", second.baseUrl, { priority: 2 }),
  ]);
  const held = ask(router);
  await expect.poll(() => first.held.length).toBe(1);
  expect(answeredBy(await ask(router))).toBe("second");
  first.answer(first.held[0]);
  expect(answeredBy(await held)).toBe("first");
  const again = ask(router);
  await expect.poll(() => first.held.length).toBe(2);
  first.answer(first.held[1]);
  expect(answeredBy(await again)).toBe("first");
});

test("calls wait in order when all backends are full, and a cancelled one leaves no gap", async () => {
  await using only = await startHolding();
  const router = createRouter([backendAt("only", only.backend.baseUrl, { concurrency: 1 })]);
  const order: string[] = [];
  const leaving = new AbortController();
  const call = (name: string, signal?: AbortSignal) =>
    ask(router, { body: () => ({ name }), ...(signal ? { signal } : {}) }).then(() => order.push(name));
  const first = call("first");
  const gone = call("gone", leaving.signal);
  const second = call("second");
  const third = call("third");
  await expect.poll(() => only.held.length).toBe(1);
  leaving.abort(new Error("gone"));
  await expect(gone).rejects.toThrow("gone");
  for (const [nth, waiting] of [first, second, third].entries()) {
    await expect.poll(() => only.held.length).toBe(nth + 1);
    only.answer(only.held[nth]);
    await waiting;
  }
  expect(order).toEqual(["first", "second", "third"]);
  expect(only.backend.asked.map(({ body }) => body["name"])).toEqual(["first", "second", "third"]);
});

test("a stream holds its permit until it ends, read or not", async () => {
  await using only = await startBackend(streamed(...HELLO));
  const router = createRouter([backendAt("only", only.baseUrl, { concurrency: 1 })]);
  const first = await ask(router, { streamed: true });
  const second = ask(router, { streamed: true });
  expect(await Promise.race([second.then(() => "answered"), readAll(first).then(() => "read")])).toBe("read");
  await readAll(await second);
  // A caller that is cancelled without reading releases the permit too.
  const leaving = new AbortController();
  await ask(router, { streamed: true, signal: leaving.signal });
  leaving.abort();
  expect(await readAll(await ask(router, { streamed: true }))).toHaveLength(HELLO.length + 1);
});

test("Retry-After stops all calls to its backend, and none to others", async () => {
  await using first = await startBackend(json(429, {}, { "retry-after": "1" }), OK);
  await using second = await startBackend(OK);
  const router = createRouter([
    backendAt("first", first.baseUrl),
    backendAt("second", second.baseUrl, { priority: 2 }),
  ]);
  const saidAt = performance.now();
  expect(answeredBy(await ask(router))).toBe("second");
  while (performance.now() - saidAt < 900) expect(answeredBy(await ask(router))).toBe("second");
  expect(first.asked).toHaveLength(1);
  // The first backend is used again after its pause, jitter included.
  await expect.poll(async () => answeredBy(await ask(router)), { timeout: 2_000 }).toBe("first");
});

test("an overload halves the concurrency of a backend, successes raise it again", async () => {
  await using only = await startHolding();
  await using spare = await startBackend(OK);
  const router = createRouter([
    backendAt("only", only.backend.baseUrl, { concurrency: 8 }),
    backendAt("spare", spare.baseUrl, { priority: 2 }),
  ]);
  let answered = 0;
  /** Sends concurrent calls, answers those that `only` got, and returns their number. */
  const wave = async (calls: number, reply: Reply): Promise<number> => {
    const before = spare.asked.length;
    const asking = Array.from({ length: calls }, () => ask(router));
    await expect.poll(() => only.held.length - answered + spare.asked.length - before).toBe(calls);
    const given = only.held.slice(answered);
    answered = only.held.length;
    for (const response of given) only.answer(response, reply);
    await Promise.all(asking);
    return given.length;
  };
  expect(await wave(8, json(429, {}))).toBe(8);
  expect(await wave(10, OK)).toBe(4);
  let given = 0;
  for (let n = 0; n < 12; n += 1) given = await wave(10, OK);
  expect(given).toBeGreaterThan(5);
});
