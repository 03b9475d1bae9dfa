import { once } from "node:events";
import { createServer } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startReplay } from "@agentswarm/replay";
import { checkEndpoint, speedOf } from "./check-endpoint.ts";

const root = mkdtempSync(join(tmpdir(), "swarm-check-model-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let scenarios = 0;

async function startModel(steps: string) {
  const scenarioDir = mkdtempSync(join(root, `scenario-${(scenarios += 1)}-`));
  writeFileSync(join(scenarioDir, "check.yaml"), `- key: check/endpoint/work\n  steps:\n${steps}`);
  return startReplay({ scenarioDir });
}
const at = (baseUrl: string) => ({ baseUrl, apiKey: "none", model: "glm-5" });

test("a server that streams the requested tool call passes", async () => {
  await using model = await startModel("    - calls: [{ tool: report, args: { word: lighthouse } }]\n");
  const report = await checkEndpoint(at(model.url));
  expect(report).toMatchObject({
    models: ["recorded"],
    problems: [],
    answer: { toolCall: { name: "report", args: '{"word":"lighthouse"}' }, finishReason: "tool_calls" },
  });
  expect(report.answer?.firstTokenMs).toBeGreaterThan(0);
  expect(report.answer?.completionTokens).toBeGreaterThan(0);
});

test("a server that answers without the requested tool call fails", async () => {
  await using talker = await startModel("    - say: I would call report with lighthouse\n");
  expect((await checkEndpoint(at(talker.url))).problems).toEqual([
    expect.stringContaining('no tool was called; the answer was "I would call report with lighthouse"'),
  ]);
  await using mistaken = await startModel("    - calls: [{ tool: report, args: { word: beacon } }]\n");
  expect((await checkEndpoint(at(mistaken.url))).problems).toEqual([
    'the tool was called with the wrong name or arguments: report {"word":"beacon"}',
  ]);
});

test("a refused key, a missing model and a missing server each have their own message", async () => {
  const server = createServer((request, response) => {
    const isList = request.url === "/v1/models";
    response.writeHead(request.headers.authorization === "Bearer right" ? (isList ? 404 : 400) : 401);
    response.end(isList ? "" : '{"error":{"message":"no such model"}}');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  expect((await checkEndpoint(at(baseUrl))).problems).toEqual([
    expect.stringMatching(/key is refused \(401\)/),
  ]);
  expect(await checkEndpoint({ ...at(baseUrl), apiKey: "right" })).toMatchObject({
    models: null,
    problems: ['/chat/completions answered 400: {"error":{"message":"no such model"}}'],
  });
  server.closeAllConnections();
  server.close();
  const nobody = createServer().listen(0, "127.0.0.1");
  await once(nobody, "listening");
  const { port } = nobody.address() as AddressInfo;
  nobody.close();
  await once(nobody, "close");
  expect((await checkEndpoint(at(`http://127.0.0.1:${port}/v1`))).problems).toEqual([
    expect.stringContaining("ECONNREFUSED"),
  ]);
});

test("a server that is still loading is waited for until the timeout", async () => {
  let refused = 0;
  const server = createServer((request, response) => {
    const loading = refused < 3;
    if (loading) refused += 1;
    response.writeHead(loading ? 503 : request.url === "/v1/models" ? 200 : 400);
    response.end(loading ? "no workers available" : '{"data":[{"id":"glm-5"}]}');
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = at(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
  expect((await checkEndpoint(endpoint, { timeoutMs: 0, pauseMs: 5 })).problems).toEqual([
    expect.stringContaining("answered 503: no workers available"),
  ]);
  expect(await checkEndpoint(endpoint, { timeoutMs: 10_000, pauseMs: 5 })).toMatchObject({
    models: ["glm-5"],
  });
  expect(refused).toBe(3);
  server.closeAllConnections();
  server.close();
});

test("reasoning counts as the first token", async () => {
  const chunk = (delta: object, more: object = {}) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`;
  const pieces = [
    ": waiting\n\n",
    chunk({ role: "assistant", content: "" }),
    chunk({ reasoning_content: "hm" }),
    chunk({ tool_calls: [{ index: 0, function: { name: "report", arguments: '{"word":' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '"lighthouse"}' } }] }),
    'data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\r\n\r\n',
    'data: {"choices":[],"usage":{"completion_tokens":21}}\n\ndata: [DONE]\n\n',
  ];
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (request.url === "/v1/models") return response.end('{"data":[{"id":"glm-5"}]}');
    const next = () => {
      const piece = pieces.shift();
      if (piece === undefined) return response.end();
      response.write(piece);
      setTimeout(next, 20);
    };
    return next();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { answer, problems } = await checkEndpoint(
    at(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`),
  );
  server.close();
  expect(problems).toEqual([]);
  if (answer === null) throw new Error("no answer");
  expect(answer).toMatchObject({ completionTokens: 21, finishReason: "tool_calls" });
  expect(answer.lastTokenMs - answer.firstTokenMs).toBeGreaterThan(30);
  expect(speedOf(answer)).toBeCloseTo(20_000 / (answer.lastTokenMs - answer.firstTokenMs), 3);
  expect(speedOf({ ...answer, completionTokens: null })).toBeNull();
});
