import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keysCommand } from "../../services/api/testing/make-key.ts";
import { startApi, type TestApi } from "../../services/api/testing/start-api.ts";
import { freePort } from "../support/free-port.ts";
import { startService } from "../support/service.ts";

const REQUEST_SECONDS = 10;

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

test("an address beyond loopback without keys is refused with the name of the setting", async () => {
  const env = { ...api.env, API_PORT: String(await freePort()), API_HOST: "0.0.0.0" };
  const service = startService("api", env);
  expect(await service.ended).toBe(1);
  expect(service.output()).toMatch(/API_HOST=0\.0\.0\.0 is not loopback.*API_BEHIND=container/);
});

test("in a container whose port is published on loopback it listens on every address", async () => {
  const env = {
    ...api.env,
    API_PORT: String(await freePort()),
    API_HOST: "0.0.0.0",
    API_BEHIND: "container",
  };
  const service = startService("api", env);
  await service.says("answering");
  await service.stop();
});

test.each([
  ["a page of another port", { origin: "http://localhost:3000" }, 403],
  ["a page of another port, by the browser's own word", { "sec-fetch-site": "same-site" }, 403],
  ["a page without an origin", { origin: "null" }, 403],
  ["a program", {}, 202],
])("without keys a change by %s is answered as it should be", async (_, headers, status) => {
  const sent = await api.post("/v1/features", { title: "By a page" }, headers as Record<string, string>);
  expect(sent.status).toBe(status);
});

test("without keys a request without a body is refused to a page of another port", async () => {
  for (const path of ["/v1/tasks/x/approve", "/v1/features/x/cancel", "/v1/jobs/merge/x/retry"]) {
    const headers = { origin: "http://localhost:3000" };
    expect((await api.ask(path, { method: "POST", headers })).status).toBe(403);
  }
});

test("the api's own pages may ask for changes", async () => {
  const headers = { origin: api.url, "sec-fetch-site": "same-origin" };
  expect((await api.post("/v1/features", { title: "By its own page" }, headers)).status).toBe(202);
});

test("a body that is sent byte by byte is cut off", async () => {
  const { hostname, port } = new URL(api.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => undefined);
  socket.write(
    `POST /v1/features HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`,
  );
  const startedAt = Date.now();
  const timer = setInterval(() => socket.write(" "), 500);
  socket.resume();
  await once(socket, "close");
  clearInterval(timer);
  expect(Date.now() - startedAt).toBeLessThan((REQUEST_SECONDS + 5) * 1_000);
});

test("wrong keys are refused more and more briefly, and a valid one is accepted all the same", async () => {
  const key = keysCommand(api.env, "create");
  const status = async (text: string) => {
    const answer = await api.ask("/v1/status", { headers: { authorization: `Bearer ${text}` } });
    await answer.text();
    return answer.status;
  };
  const answers: number[] = [];
  for (let tries = 0; tries < 80; tries += 1) answers.push(await status(`ask_0_${tries}`));
  expect(answers[0]).toBe(401);
  expect(answers.at(-1)).toBe(429);
  expect(await status(key)).toBe(200);
});
