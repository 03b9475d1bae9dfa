import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect } from "node:http2";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Broker } from "../../packages/broker/src/server/start-broker.ts";
import { openBroker, TOKEN } from "../../packages/broker/testing/open-broker.ts";

/** What the engine was asked for, but for reading. */
let asked: string[] = [];
/** The containers of the engine by name, with their labels. */
let containers: Record<string, Record<string, string>> = {};
let engine: Server;
let broker: Broker;
let dir: string;
const name = randomUUID();

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "swarm-attack-m3-"));
  // An engine of the test's own, which says what reached it.
  engine = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://engine").pathname.replace(/^\/v[\d.]+/, "");
    if (request.method !== "GET") asked.push(`${request.method} ${path}`);
    request.resume();
    const answer = (status: number, body?: unknown) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    const [, id] = /^\/containers\/([^/]+)\/json$/.exec(path) ?? [];
    if (path === "/containers/json" || path === "/volumes")
      answer(200, path === "/volumes" ? { Volumes: [] } : []);
    else if (id !== undefined) {
      const labels = containers[id];
      answer(labels === undefined ? 404 : 200, { Config: { Labels: labels } });
    } else if (request.method === "DELETE") answer(204);
    else answer(200, { MemoryLimit: true, PidsLimit: true, CpuCfsQuota: true });
  });
  const socket = join(dir, "engine.sock");
  engine.listen(socket);
  await once(engine, "listening");
  const before = process.env["DOCKER_HOST"];
  process.env["DOCKER_HOST"] = `unix://${socket}`;
  broker = await openBroker({ name });
  if (before === undefined) delete process.env["DOCKER_HOST"];
  else process.env["DOCKER_HOST"] = before;
});
afterAll(async () => {
  await broker[Symbol.asyncDispose]();
  engine.closeAllConnections();
  engine.close();
  rmSync(dir, { recursive: true, force: true });
});

async function ask(method: string, path: string, body?: string): Promise<number> {
  const session = connect(broker.url);
  const stream = session.request({ ":method": method, ":path": path, authorization: `Bearer ${TOKEN}` });
  stream.end(body);
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  await text(stream);
  session.close();
  return Number(headers[":status"]);
}

test.each([
  ["a database of somebody else", {}],
  ["a container with labels of its own", { "com.example": "x" }],
  ["a sandbox of another broker", { "agentswarm.owner": "broker:another", "agentswarm.swarm": "x" }],
  ["a sandbox of a service without a broker", { "agentswarm.owner": '{"pid":1}', "agentswarm.swarm": "x" }],
])("%s is not found, and the engine is not asked to remove it", async (_, labels) => {
  containers = { "customer-database": labels as Record<string, string> };
  asked = [];
  expect(await ask("DELETE", "/containers/customer-database")).toBe(404);
  expect(asked).toEqual([]);
});

test("a sandbox that this broker has left behind is removed", async () => {
  containers = { left: { "agentswarm.owner": `broker:${name}`, "agentswarm.swarm": "x" } };
  asked = [];
  expect(await ask("DELETE", "/containers/left")).toBe(204);
  expect(asked).toEqual(["DELETE /containers/left"]);
});

test("content under the name of other content is refused, and no other client sees it", async () => {
  const key = createHash("sha256").update("the dependencies of everybody").digest("hex");
  expect(await ask("PUT", `/contents/${key}`, "something else")).toBe(400);
  expect(asked.filter((one) => one.includes("agentswarm-content-"))).toEqual([]);
});
