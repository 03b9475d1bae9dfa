import { expect, test } from "vitest";
import { MODEL, openGateway } from "../../testing/open-gateway.ts";
import { chunk, json, startBackend, streamed, USAGE } from "../../../../test/support/scripted-backend.ts";

const answered = (model: string) => ({
  model,
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
});

test("an agent sees one model and is charged the prices of the backend that answered", async () => {
  await using big = await startBackend(json(200, answered("zai-org/GLM-5.3")), json(500, {}));
  await using own = await startBackend(streamed({ ...chunk({ content: "hi" }, "stop"), model: "qwen" }));
  await using gateway = await openGateway("http://unused/v1", {
    backends: [
      { name: "big", baseUrl: big.baseUrl, model: "zai-org/GLM-5.3" },
      { name: "own", baseUrl: own.baseUrl, model: "qwen", prices: { input: 2, output: 20, cached: 1 } },
      { name: "talker", baseUrl: own.baseUrl, roles: ["plan"], priority: 1 },
    ],
    model: "zai-org/GLM-5.3",
  });
  const ask = { model: "zai-org/GLM-5.3" };
  const first = await gateway.call(ask);
  const second = await gateway.call({ ...ask, stream: true });
  expect(big.asked[0]?.body["model"]).toBe("zai-org/GLM-5.3");
  expect(own.asked[0]?.body["model"]).toBe("qwen");
  expect([first.text, second.text].map((text) => /"model":"([^"]+)"/.exec(text)?.[1])).toEqual([
    "zai-org/GLM-5.3",
    "zai-org/GLM-5.3",
  ]);
  expect(gateway.charged).toMatchObject([
    { backend: "big", model: "zai-org/GLM-5.3", estimated: false },
    { backend: "own", model: "qwen", estimated: false },
  ]);
  expect(gateway.charged[0]?.costUsd).toBeCloseTo((600 * 1.4 + 400 * 0.26 + 100 * 4.4) / 1e6, 12);
  expect(gateway.charged[1]?.costUsd).toBeCloseTo((600 * 2 + 400 * 1 + 100 * 20) / 1e6, 12);
  // The usage of a key becomes the attempt's metrics, which name no backend.
  expect(Object.keys(gateway.own.usage()).toSorted()).toEqual([
    "costUsd",
    "tokensCached",
    "tokensIn",
    "tokensOut",
  ]);
});

test("reasoning is passed on, both as a field and in the text", async () => {
  await using backend = await startBackend(
    streamed(
      chunk({ reasoning_content: "where to begin" }),
      chunk({ content: "<think>hm</think>so" }),
      chunk({}, "stop"),
    ),
  );
  await using gateway = await openGateway(backend.baseUrl);
  const { text } = await gateway.call({ stream: true, model: MODEL });
  expect(text).toContain('"reasoning_content":"where to begin"');
  expect(text).toContain("<think>hm</think>so");
});
