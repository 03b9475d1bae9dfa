import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import {
  HELLO,
  json,
  startBackend,
  streamed,
  type Reply,
} from "../../../../test/support/scripted-backend.ts";
import { ask, backendAt, readAll, who } from "../../testing/ask-router.ts";
import { createRouter } from "./router.ts";

const OK = json(200, { choices: [] });

/** A server that answers when it is let. */
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

test("what is above the limit of the first overflows to the next", async () => {
  await using first = await startHolding();
  await using second = await startBackend(OK);
  const router = createRouter([
    backendAt("first", first.backend.baseUrl, { concurrency: 1 }),
    backendAt("second", second.baseUrl, { priority: 2 }),
  ]);
  const held = ask(router);
  await expect.poll(() => first.held.length).toBe(1);
  expect(who(await ask(router))).toBe("second");
  first.answer(first.held[0]);
  expect(who(await held)).toBe("first");
  const again = ask(router);
  await expect.poll(() => first.held.length).toBe(2);
  first.answer(first.held[1]);
  expect(who(await again)).toBe("first");
});

test("where all are full a call waits for its turn, in order; one that is given up leaves no gap", async () => {
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

test("a stream holds its place until it is over, read or not", async () => {
  await using only = await startBackend(streamed(...HELLO));
  const router = createRouter([backendAt("only", only.baseUrl, { concurrency: 1 })]);
  const first = await ask(router, { streamed: true });
  const second = ask(router, { streamed: true });
  expect(await Promise.race([second.then(() => "answered"), readAll(first).then(() => "read")])).toBe("read");
  await readAll(await second);
  // Whoever goes without reading gives it back too.
  const leaving = new AbortController();
  await ask(router, { streamed: true, signal: leaving.signal });
  leaving.abort();
  expect(await readAll(await ask(router, { streamed: true }))).toHaveLength(HELLO.length + 1);
});

test("Retry-After stops all calls to the one that said it, and none to others", async () => {
  await using first = await startBackend(json(429, {}, { "retry-after": "1" }), OK);
  await using second = await startBackend(OK);
  const router = createRouter([
    backendAt("first", first.baseUrl),
    backendAt("second", second.baseUrl, { priority: 2 }),
  ]);
  const saidAt = performance.now();
  expect(who(await ask(router))).toBe("second");
  while (performance.now() - saidAt < 900) expect(who(await ask(router))).toBe("second");
  expect(first.asked).toHaveLength(1);
  // Back to the first when its pause is over, jitter included.
  await expect.poll(async () => who(await ask(router)), { timeout: 2_000 }).toBe("first");
});

test("an overloaded backend gets half as many at once, and more again as it does well", async () => {
  await using only = await startHolding();
  await using spare = await startBackend(OK);
  const router = createRouter([
    backendAt("only", only.backend.baseUrl, { concurrency: 8 }),
    backendAt("spare", spare.baseUrl, { priority: 2 }),
  ]);
  let answered = 0;
  /** How many of so many at once it was given, and what it says to those. */
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
