import { expect, test } from "vitest";
import { judgeRefusal, isOperatorCause, isTransient } from "./judge-refusal.ts";

test("overload, outages and a cold start are transient, errors of the request or the settings are not", () => {
  expect([429, 503, 529].map((status) => judgeRefusal(status, ""))).toEqual(Array(3).fill("overload"));
  expect([500, 502, 504, 408].map((status) => judgeRefusal(status, ""))).toEqual(Array(4).fill("outage"));
  expect((["overload", "outage", "cold"] as const).every(isTransient)).toBe(true);
  const lasting = ["key", "credit", "model", "address", "overflow", "request"] as const;
  expect(lasting.some(isTransient)).toBe(false);
  expect(lasting.filter(isOperatorCause)).toEqual(["key", "credit", "model", "address"]);
});

test("a refused key, an empty account, a wrong model and a wrong address are told apart", () => {
  const cases: [number, string, string][] = [
    [401, "Incorrect API key provided: sk-x", "key"],
    [403, "forbidden", "key"],
    [407, "", "key"],
    [402, "", "credit"],
    [429, '{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}', "credit"],
    [429, "Insufficient balance or no resource package. Please recharge.", "credit"],
    [403, "Your credit balance is too low to access the API", "credit"],
    [404, "The model `my-model` does not exist.", "model"],
    [404, 'model "qwen3" not found, try pulling it first', "model"],
    [400, "qwen/qwen-9 is not a valid model ID", "model"],
    [400, "Model Not Exist", "model"],
    [400, '{"error":{"code":"1211","message":"模型不存在，请检查模型代码。"}}', "model"],
    [422, "Invalid model: qwen", "model"],
    [404, "404 page not found", "address"],
    [404, '{"detail":"Not Found"}', "address"],
    [405, "Method Not Allowed", "address"],
    [301, "", "address"],
    [308, "", "address"],
  ];
  for (const [status, body, cause] of cases)
    expect([status, body, judgeRefusal(status, body)]).toEqual([status, body, cause]);
});

test("a 400 is a cold start, an overflow or an invalid request", () => {
  expect(judgeRefusal(400, '{"error":"No workers available"}')).toBe("cold");
  expect(judgeRefusal(400, "This model's maximum context length is 202752 tokens")).toBe("overflow");
  expect(judgeRefusal(400, "The input (3000 tokens) is longer than the model's context window")).toBe(
    "overflow",
  );
  expect(judgeRefusal(400, "Input is too long for requested model")).toBe("overflow");
  expect(judgeRefusal(400, "tools.0.function.name: invalid")).toBe("request");
  expect(judgeRefusal(400, "this model does not support tools")).toBe("request");
  expect(judgeRefusal(422, "")).toBe("request");
});

test("524 from a gateway and Modal's 303 while it loads are cold starts", () => {
  expect([524, 303].map((status) => judgeRefusal(status, ""))).toEqual(["cold", "cold"]);
});
