import { expect, test } from "vitest";
import { json, startBackend } from "../../test/support/scripted-backend.ts";
import { examineModel } from "./examine-model.ts";

const ANSWER = json(200, { choices: [{ message: { role: "assistant", content: "Hi" } }] });
const contains = (text: string): unknown => expect.stringContaining(text);

test("every backend is examined by itself", async () => {
  await using well = await startBackend(ANSWER);
  well.models.ids = ["glm-5.3"];
  await using locked = await startBackend(json(401, {}));
  locked.models.status = 401;
  const LLM_BACKENDS = JSON.stringify([
    { name: "well", baseUrl: well.baseUrl, model: "glm-5.3" },
    { name: "locked", baseUrl: locked.baseUrl },
    { name: "gone", baseUrl: "http://127.0.0.1:9/v1" },
  ]);
  expect(await examineModel({ LLM_BACKENDS, LLM_BASE_URL: " " })).toMatchObject([
    { state: "ok", detail: contains("glm-5.3 at well") },
    { state: "fail", detail: contains("locked"), fix: "correct keyVar of locked in LLM_BACKENDS" },
    {
      state: "fail",
      detail: contains("gone (http://127.0.0.1:9/v1) cannot be reached"),
      fix: "correct baseUrl of gone in LLM_BACKENDS",
    },
  ]);
  // The list names the model, so no call is made.
  expect(well.asked).toHaveLength(0);
  expect(await examineModel({ LLM_BASE_URL: well.baseUrl, LLM_MODEL: "glm-5.3" }, true)).toMatchObject([
    { state: "ok", detail: contains("answers") },
  ]);
  expect(well.asked.map(({ body }) => body["max_tokens"])).toEqual([1]);
  expect(await examineModel({})).toMatchObject([{ state: "warn" }]);
});

test("a model that the server does not list is tried by a call, and the names that it has are shown", async () => {
  await using server = await startBackend(
    json(404, { error: "The model `qwen3-coder` does not exist" }),
    ANSWER,
  );
  server.models.ids = ["llama-4", "qwen3-coder-30b"];
  const env = {
    LLM_BASE_URL: server.baseUrl,
    LLM_MODEL: "qwen3-coder",
    LLM_PRICE_IN: "0",
    LLM_PRICE_OUT: "0",
  };
  expect(await examineModel(env)).toMatchObject([
    {
      state: "fail",
      detail: contains("does not list qwen3-coder; it has qwen3-coder-30b, llama-4"),
      fix: "correct LLM_MODEL",
    },
  ]);
  // Another name that the server answers all the same.
  expect(await examineModel(env)).toMatchObject([{ state: "ok", detail: contains("answers") }]);
});

test("a base URL without /v1 says so", async () => {
  await using server = await startBackend(ANSWER);
  const root = server.baseUrl.replace(/\/v1$/, "");
  const [finding] = await examineModel({ LLM_BASE_URL: root, LLM_MODEL: "glm-5" });
  expect(finding).toMatchObject({
    state: "fail",
    detail: contains(`${root}/v1 answers`),
    fix: "set LLM_BASE_URL to it",
  });
});

test("a cap in dollars without a price is a failure, a model without a price a warning", async () => {
  await using server = await startBackend(ANSWER);
  server.models.ids = ["own"];
  const env = { LLM_BASE_URL: server.baseUrl, LLM_MODEL: "own" };
  expect(await examineModel(env)).toMatchObject([
    { state: "ok" },
    { name: "prices", state: "warn", fix: contains("set LLM_PRICE_IN and LLM_PRICE_OUT") },
  ]);
  expect(await examineModel({ ...env, BUDGET_USD: "5" })).toMatchObject([
    { state: "ok" },
    { name: "prices", state: "fail", detail: contains("BUDGET_USD=5 cannot be kept") },
  ]);
});

test("an invalid list of backends is a failure that names LLM_BACKENDS", async () => {
  expect(await examineModel({ LLM_BACKENDS: "[{}]" })).toMatchObject([
    { state: "fail", detail: expect.stringContaining("LLM_BACKENDS") },
  ]);
});
