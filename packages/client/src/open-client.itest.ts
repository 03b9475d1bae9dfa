import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { PROBLEM_TYPE, type DomainEvent } from "@agentswarm/contracts";
import { freePort } from "../../../test/support/free-port.ts";
import { ApiError, openClient, Unreachable } from "./index.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that gives each request the next answer, and the last one from then on. */
async function serve(...answers: Answer[]) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    answers[Math.min(requests.length, answers.length - 1)]?.(request, response);
    requests.push(request);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const problem =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    const body = {
      type: "urn:agentswarm:x",
      title: "the title",
      status,
      detail: "the detail",
      instance: "/",
    };
    response.writeHead(status, { "content-type": PROBLEM_TYPE, ...headers }).end(JSON.stringify(body));
  };
const json =
  (body: unknown, status = 200): Answer =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
const hangUp: Answer = (request) => request.socket.destroy();
const silent: Answer = () => undefined;
const healthy = json({ ok: true });
const accepted = json({ id: "feature-1", slug: "one", status: "queued", url: "/v1/features/feature-1" }, 202);

test.each([
  ["429", problem(429)],
  ["503", problem(503)],
  ["a broken connection", hangUp],
])("a repeatable request is retried after %s", async (_name, failure) => {
  using server = await serve(failure, failure, healthy);
  expect(await openClient({ url: server.url }).getHealth()).toEqual({ ok: true });
  expect(server.requests).toHaveLength(3);
});

test("a retry waits for Retry-After", async () => {
  using server = await serve(problem(503, { "retry-after": "1" }), healthy);
  const startedAt = Date.now();
  await openClient({ url: server.url }).getHealth();
  expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_000);
});

test("a submission is retried under one Idempotency-Key", async () => {
  using server = await serve(hangUp, problem(503), accepted);
  await openClient({ url: server.url }).submitFeature({ body: { title: "One" } });
  const keys = server.requests.map(({ headers }) => headers["idempotency-key"]);
  expect(keys).toEqual([expect.any(String), keys[0], keys[0]]);
});

test("a request that is not repeatable is sent once", async () => {
  using server = await serve(problem(503));
  const asked = openClient({ url: server.url }).retryTask({ params: { id: "a" } });
  await expect(asked).rejects.toBeInstanceOf(ApiError);
  expect(server.requests).toHaveLength(1);
});

test("a problem becomes an error with status, title and detail", async () => {
  using server = await serve(problem(404));
  const asked = openClient({ url: server.url }).getTask({ params: { id: "none" } });
  await expect(asked).rejects.toMatchObject({ status: 404, title: "the title", detail: "the detail" });
});

test("parameters, query, body and key are sent as the route says", async () => {
  using server = await serve(json({ features: [], cursor: null }));
  const client = openClient({ url: `${server.url}/`, key: "ask_1" });
  await client.listFeatures({ query: { q: "a b&c", limit: 5, cursor: undefined } });
  expect(server.requests[0]?.url).toBe("/v1/features?q=a+b%26c&limit=5");
  expect(server.requests[0]?.headers.authorization).toBe("Bearer ask_1");
});

test("the deadline ends a call with all its retries", async () => {
  using server = await serve(silent);
  const startedAt = Date.now();
  await expect(openClient({ url: server.url, deadlineMs: 300 }).getHealth()).rejects.toBeInstanceOf(
    Unreachable,
  );
  expect(Date.now() - startedAt).toBeLessThan(5_000);
});

test("an abort ends a call with the signal's reason", async () => {
  using server = await serve(silent);
  const abort = new AbortController();
  const asked = openClient({ url: server.url }).getHealth({}, { signal: abort.signal });
  abort.abort(new Error("not needed any more"));
  await expect(asked).rejects.toThrow("not needed any more");
});

test("an address without a server is unreachable", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const asked = openClient({ url, maxRetries: 1 }).getHealth();
  await expect(asked).rejects.toMatchObject({ kind: "no-answer", message: `no api answers at ${url}` });
});

test.each([
  ["not JSON", (_: unknown, response: ServerResponse) => void response.end("<h1>Welcome</h1>")],
  ["JSON of another server", json({ status: "up" })],
])("an answer that is %s is not the api's, and is not retried", async (_name, answer) => {
  using server = await serve(answer as Answer);
  await expect(openClient({ url: server.url }).getStatus()).rejects.toMatchObject({ kind: "not-the-api" });
  expect(server.requests).toHaveLength(1);
});

const event = (id: string): DomainEvent => ({
  repoId: "main",
  id,
  at: 1,
  type: "trunk.green",
  actor: "test",
  data: { commit: "a".repeat(40) },
});
const frame = (nth: number) =>
  `id: ${nth}-0\nevent: trunk.green\ndata: ${JSON.stringify(event(`e${nth}`))}\n\n`;
/** Streams texts and then breaks the connection. */
const stream =
  (...texts: string[]): Answer =>
  (request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(
      `: listening after ${String(request.headers["last-event-id"] ?? "7-0")}\n\n${texts.join("")}`,
    );
    setTimeout(() => request.socket.destroy(), 20);
  };

test("a stream that breaks is resumed after the last event that came", async () => {
  const half = frame(3).slice(0, 20);
  using server = await serve(stream(frame(1), frame(2), half), problem(503), stream(frame(3)));
  const ids: string[] = [];
  for await (const { id } of openClient({ url: server.url }).events({ after: "0" })) {
    ids.push(id);
    if (ids.length === 3) break;
  }
  expect(ids).toEqual(["1-0", "2-0", "3-0"]);
  expect(server.requests.map(({ headers }) => headers["last-event-id"])).toEqual(["0", "2-0", "2-0"]);
});

test("a stream that breaks before its first event is resumed where it began", async () => {
  using server = await serve(stream(), stream(frame(8)));
  for await (const { id } of openClient({ url: server.url }).events()) {
    expect(id).toBe("8-0");
    break;
  }
  expect(server.requests.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "7-0"]);
});

test("a filter leaves events out", async () => {
  using server = await serve(stream(frame(1), frame(2), frame(3)));
  const filter = ({ id }: DomainEvent) => id === "e2";
  for await (const { event: seen } of openClient({ url: server.url }).events({ after: "0", filter })) {
    expect(seen.id).toBe("e2");
    break;
  }
});

test("an abort ends the stream", async () => {
  using server = await serve((_, response) => void response.writeHead(200).write(frame(1)));
  const abort = new AbortController();
  const ids: string[] = [];
  for await (const { id } of openClient({ url: server.url }).events({ signal: abort.signal })) {
    ids.push(id);
    abort.abort();
  }
  expect(ids).toEqual(["1-0"]);
});

test("a stream that is refused for good throws", async () => {
  using server = await serve(problem(401));
  const first = openClient({ url: server.url }).events().next();
  await expect(first).rejects.toMatchObject({ status: 401 });
});
