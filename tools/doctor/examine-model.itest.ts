import { expect, test } from "vitest";
import { json, startBackend } from "../../test/support/scripted-backend.ts";
import { examineModel } from "./examine-model.ts";

test("every backend is examined by itself", async () => {
  await using well = await startBackend(json(200, {}));
  await using locked = await startBackend(json(200, {}));
  locked.models.status = 401;
  const LLM_BACKENDS = JSON.stringify([
    { name: "well", baseUrl: well.baseUrl, model: "glm-5.3" },
    { name: "locked", baseUrl: locked.baseUrl },
    { name: "gone", baseUrl: "http://127.0.0.1:9/v1" },
  ]);
  expect(await examineModel({ LLM_BACKENDS, LLM_BASE_URL: " " })).toMatchObject([
    { state: "ok", detail: expect.stringContaining("glm-5.3 at well") },
    { state: "fail", detail: expect.stringContaining("locked") },
    { state: "fail", detail: expect.stringContaining("gone") },
  ]);
  expect(await examineModel({ LLM_BASE_URL: well.baseUrl })).toMatchObject([{ state: "ok" }]);
  expect(await examineModel({})).toMatchObject([{ state: "warn" }]);
});

test("an invalid list of backends is a failure that names LLM_BACKENDS", async () => {
  expect(await examineModel({ LLM_BACKENDS: "[{}]" })).toMatchObject([
    { state: "fail", detail: expect.stringContaining("LLM_BACKENDS") },
  ]);
});
