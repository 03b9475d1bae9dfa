import { expect, test } from "vitest";
import { json, startBackend, type Reply } from "../../../../test/support/scripted-backend.ts";
import { ask, backendAt, answeredBy } from "../../testing/ask-router.ts";
import { createRouter, type BackendChange } from "./router.ts";

const OK = json(200, { choices: [] });

/** A server that fails until `state.down` is cleared. */
function repairable() {
  const state = { down: true };
  const reply: Reply = (request, response) =>
    (state.down ? json(500, { error: "down" }) : OK)(request, response, {});
  return { state, reply };
}

test("after consecutive failures a backend gets no calls until a probe succeeds", async () => {
  const { state, reply } = repairable();
  await using first = await startBackend(reply);
  first.models.status = 500;
  await using second = await startBackend(OK);
  const changes: BackendChange[] = [];
  const router = createRouter(
    [backendAt("first", first.baseUrl), backendAt("second", second.baseUrl, { priority: 2 })],
    { breaker: { failures: 3, probeAfterMs: 50 }, onChange: (change) => changes.push(change) },
  );
  for (let n = 0; n < 6; n += 1) expect(answeredBy(await ask(router))).toBe("second");
  expect(first.asked).toHaveLength(3);
  expect(changes).toEqual([{ backend: "first", state: "opened", why: expect.stringContaining("500") }]);

  // A failed probe spends no call, reports no change and doubles the delay of the next.
  await expect.poll(async () => (await ask(router), first.models.asked)).toBeGreaterThan(1);
  expect(first.asked).toHaveLength(3);
  expect(changes).toHaveLength(1);

  state.down = false;
  first.models.status = 200;
  await expect.poll(async () => answeredBy(await ask(router))).toBe("first");
  expect(changes.map(({ state: now }) => now)).toEqual(["opened", "closed"]);
});

test("a success in between, or an invalid request, keeps the breaker closed", async () => {
  const bad = json(500, {});
  const wrong = json(400, { error: "no such tool" });
  await using only = await startBackend(bad, OK, bad, OK, bad, wrong, bad, OK);
  const changes: BackendChange[] = [];
  const router = createRouter([backendAt("only", only.baseUrl)], {
    breaker: { failures: 2, probeAfterMs: 50 },
    onChange: (change) => changes.push(change),
  });
  for (let n = 0; n < 8; n += 1) await ask(router, { retry: "once" });
  expect(only.asked).toHaveLength(8);
  expect(changes).toEqual([]);
});

test("a patient call waits for the end of an outage of the only backend", async () => {
  const { state, reply } = repairable();
  await using only = await startBackend(reply);
  const router = createRouter([backendAt("only", only.baseUrl)], {
    breaker: { failures: 1, probeAfterMs: 100 },
  });
  expect(await ask(router, { retry: "once" })).toMatchObject({ status: 500 });
  state.down = false;
  expect(answeredBy(await ask(router))).toBe("only");
  expect([only.asked.length, only.models.asked]).toEqual([2, 1]);
});

test("a backend that stays down fails a patient call after firstMs", async () => {
  await using only = await startBackend(json(500, {}));
  only.models.status = 503;
  const router = createRouter([backendAt("only", only.baseUrl)], {
    timeouts: { firstMs: 400 },
    breaker: { failures: 1, probeAfterMs: 50 },
  });
  const answer = await ask(router);
  // The answer is the failure itself, not that no backend accepts calls.
  expect(answer).toMatchObject({ kind: "refused", status: 500, unavailable: true });
  expect(only.asked).toHaveLength(1);
  expect(await ask(router)).toMatchObject({ status: 503, unavailable: true });
  expect(only.asked).toHaveLength(1);
});

test("a probe with a refused key does not close the breaker, one without a list of models does", async () => {
  for (const [status, answers] of [
    [401, false],
    [404, true],
  ] as const) {
    const { state, reply } = repairable();
    await using only = await startBackend(reply);
    only.models.status = status;
    const router = createRouter([backendAt("only", only.baseUrl)], {
      timeouts: { firstMs: answers ? 20_000 : 300 },
      breaker: { failures: 1, probeAfterMs: 20 },
    });
    await ask(router, { retry: "once" });
    state.down = false;
    expect(answeredBy(await ask(router))).toBe(answers ? "only" : 503);
  }
});
