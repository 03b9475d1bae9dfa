import { expect, test } from "vitest";
import { openGateway } from "../../services/dispatcher/testing/open-gateway.ts";
import { json, startBackend, USAGE } from "../support/scripted-backend.ts";

const OK = json(200, {
  choices: [{ message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
});
const KNOWN = {
  temperature: 0.5,
  top_p: 0.9,
  seed: 1,
  stop: ["end"],
  presence_penalty: 0,
  frequency_penalty: 0,
  tools: [{ type: "function", function: { name: "read", parameters: { type: "object" }, strict: false } }],
  tool_choice: "auto",
  parallel_tool_calls: false,
  response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
  reasoning_effort: "low",
  thinking: { type: "disabled" },
  messages: [
    { role: "system", content: "s" },
    { role: "user", content: [{ type: "text", text: "t" }] },
    {
      role: "assistant",
      content: null,
      reasoning_content: "hm",
      tool_calls: [{ id: "c", type: "function", function: { name: "read", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "c", name: "read", content: "text" },
  ],
};

test("what a server would charge, fetch or do beside the answer is not passed on", async () => {
  await using backend = await startBackend(OK);
  await using gateway = await openGateway(backend.baseUrl);
  const foreign = {
    n: 9,
    best_of: 9,
    service_tier: "priority",
    priority: -100,
    web_search_options: {},
    kv_transfer_params: { remote_host: "10.0.0.1" },
    chat_template: "{{ x }}",
    chat_template_kwargs: {},
    guided_regex: "(a+)+$",
    logit_bias: {},
    metadata: {},
  };
  expect((await gateway.call({ ...KNOWN, ...foreign })).status).toBe(200);
  expect(backend.asked[0]?.body).toEqual({ ...KNOWN, model: "glm-5", max_tokens: 500 });
});

test.each(["image_url", "video_url", "input_audio", "file", "document"])(
  "content of type %s is refused by name",
  async (type) => {
    await using backend = await startBackend(OK);
    await using gateway = await openGateway(backend.baseUrl);
    const part = { type, [type]: { url: "http://169.254.169.254/latest?d=stolen" } };
    const { status, text } = await gateway.call({ messages: [{ role: "user", content: [part] }] });
    expect(status).toBe(400);
    expect(text).toContain(type);
    expect(backend.asked).toHaveLength(0);
    // An invalid request is no call.
    expect(gateway.own.calls()).toBe(0);
  },
);

test("tools that the server itself would run are refused", async () => {
  await using backend = await startBackend(OK);
  await using gateway = await openGateway(backend.baseUrl);
  const { status, text } = await gateway.call({ tools: [{ type: "web_search" }] });
  expect(status).toBe(400);
  expect(text).toContain("web_search");
});

test("JSON too deep to be written again is the caller's fault, not the backend's", async () => {
  await using backend = await startBackend(OK);
  await using gateway = await openGateway(backend.baseUrl);
  let deep: object = {};
  for (let level = 0; level < 1_000; level += 1) deep = { deep };
  const tools = [{ type: "function", function: { name: "x", parameters: deep } }];
  expect((await gateway.call({ tools })).status).toBe(400);
  expect((await gateway.call({})).status).toBe(200);
});
