import { expect, test } from "vitest";
import { openGateway } from "../../services/dispatcher/testing/open-gateway.ts";
import { chunk, event, startBackend, type Reply } from "../support/scripted-backend.ts";

const KEY = "the-real-key";
const echo =
  (status: number): Reply =>
  (request, response) => {
    const said = `invalid key: ${request.headers.authorization} (${Buffer.from(KEY).toString("base64")})`;
    response.writeHead(status, { "content-type": "application/json", "retry-after": "0" });
    response.end(JSON.stringify({ error: { message: said }, headers: request.headers }));
  };
const echoInStream: Reply = (request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(event(chunk({ content: "I begin" })));
  response.write(event({ error: { message: `died: ${request.headers.authorization}` } }));
  // The gateway has passed it on by then.
  setTimeout(() => response.end(), 200);
};
const echoNoJson: Reply = (request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(event(chunk({ content: "I begin" })));
  response.end(`data: ${request.headers.authorization}\n\n`);
};

test.each([
  ["a refused key", echo(401), [false, true]],
  ["an outage", echo(500), [false, true]],
  ["an invalid request", echo(400), [false, true]],
  ["an error in a 200", echo(200), [false, true]],
  ["an error in a stream", echoInStream, [true]],
  ["garbage in a stream", echoNoJson, [true]],
] as const)("%s tells a sandbox no key of a backend", async (_, reply, streamed) => {
  await using backend = await startBackend(reply);
  await using gateway = await openGateway(backend.baseUrl);
  const answers = await Promise.all(streamed.map((stream) => gateway.call({ stream })));
  const said = `${JSON.stringify(answers)} ${gateway.own.unavailable()}`;
  expect(said).not.toContain(KEY);
  expect(said).not.toContain(Buffer.from(KEY).toString("base64"));
});

test("the error of a backend keeps its meaning and has a bounded length", async () => {
  await using backend = await startBackend((_, response) => {
    response
      .writeHead(400)
      .end(JSON.stringify({ error: { message: `maximum context length ${"x".repeat(1e6)}` } }));
  });
  await using gateway = await openGateway(backend.baseUrl);
  const { text } = await gateway.call({});
  expect(text).toContain("maximum context length");
  expect(text.length).toBeLessThan(10_000);
});
