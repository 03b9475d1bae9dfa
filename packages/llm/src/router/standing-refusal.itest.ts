import { expect, test } from "vitest";
import { json, startBackend, type Reply } from "../../../../test/support/scripted-backend.ts";
import { answeredBy, ask, backendAt } from "../../testing/ask-router.ts";
import { createRouter, type BackendChange } from "./router.ts";

const OK = json(200, { choices: [] });
const REFUSALS = [
  ["a key", json(401, { error: { message: "Incorrect API key" } }), 401, "correct KEY_OF_only"],
  ["an empty account", json(402, { error: "Insufficient Balance" }), 402, "KEY_OF_only has no credit left"],
  ["a model", json(404, { error: "The model `x` does not exist." }), 404, "correct MODEL_OF_only"],
  ["a model by 400", json(400, { message: "Model Not Exist" }), 400, "correct MODEL_OF_only"],
  ["an address", json(404, { detail: "Not Found" }), 404, "correct URL_OF_only"],
] as const;

/** A server that refuses until it is corrected. */
function correctable(refusal: Reply) {
  const state = { isCorrect: false };
  const reply: Reply = (request, response) => (state.isCorrect ? OK : refusal)(request, response, {});
  return { state, reply };
}

test.each(REFUSALS)(
  "the only backend refuses %s: calls end at once with the setting, and go on when it is corrected",
  async (_, refusal, status, advice) => {
    const { state, reply } = correctable(refusal);
    await using only = await startBackend(reply);
    const changes: BackendChange[] = [];
    const router = createRouter([backendAt("only", only.baseUrl)], {
      refusedProbeMs: 400,
      onChange: (change) => changes.push(change),
    });
    expect(await router.outage("work")).toBeNull();
    for (let n = 0; n < 3; n += 1) {
      const answer = await ask(router);
      expect(answer).toMatchObject({ status, unavailable: true, why: expect.stringContaining(advice) });
    }
    expect(await router.outage("work")).toMatchObject({
      code: "model.refused",
      source: "operator",
      retryable: true,
      message: expect.stringContaining(advice),
    });
    // Only the first call and probes reach the backend; a probe asks for one token.
    expect(only.asked.slice(1).every(({ body }) => body["max_tokens"] === 1)).toBe(true);
    expect(changes).toEqual([{ backend: "only", state: "opened", why: expect.stringContaining(advice) }]);

    state.isCorrect = true;
    await expect.poll(() => router.outage("work"), { timeout: 20_000 }).toBeNull();
    expect(answeredBy(await ask(router))).toBe("only");
    expect(changes.map((one) => one.state)).toEqual(["opened", "closed"]);
  },
);

test("a call that comes when a probe is due waits for the probe, and is answered if that succeeds", async () => {
  const { state, reply } = correctable(json(401, {}));
  await using only = await startBackend(reply);
  const router = createRouter([backendAt("only", only.baseUrl)], { refusedProbeMs: 0 });
  expect(await ask(router)).toMatchObject({ status: 401 });
  state.isCorrect = true;
  expect(answeredBy(await ask(router))).toBe("only");
});

test("while one backend refuses its key, the other one answers without a call to the first", async () => {
  await using first = await startBackend(json(401, {}));
  await using second = await startBackend(OK);
  const router = createRouter(
    [backendAt("first", first.baseUrl), backendAt("second", second.baseUrl, { priority: 2 })],
    { refusedProbeMs: 60_000 },
  );
  for (let n = 0; n < 3; n += 1) expect(answeredBy(await ask(router))).toBe("second");
  expect(first.asked).toHaveLength(1);
  expect(await router.outage("work")).toBeNull();
});

test("while the only backend is down, the outage names the last failure", async () => {
  await using only = await startBackend(json(500, { error: "the engine has died" }));
  const router = createRouter([backendAt("only", only.baseUrl)], {
    breaker: { failures: 1, probeAfterMs: 60_000 },
  });
  await ask(router, { retry: "once" });
  expect(await router.outage("work")).toMatchObject({
    code: "model.unavailable",
    retryable: true,
    message: expect.stringContaining("the engine has died"),
  });
});

test("Modal's redirect while it loads is a cold start", async () => {
  const loading = json(303, {}, { location: "/v1/chat/completions?poll=1" });
  await using only = await startBackend(loading, loading, OK);
  const router = createRouter([backendAt("only", only.baseUrl)], { timeouts: { coldMs: 10 } });
  expect(answeredBy(await ask(router))).toBe("only");
  expect(only.asked).toHaveLength(3);
});
