import * as http from "node:http";
import type * as http2 from "node:http2";

/** Sends a request. Resolves after the whole answer with the milliseconds until its first byte. */
export type Call = (body: string) => Promise<number>;

/** Sends requests to the server itself. */
export function callDirectly(url: string): Call {
  const agent = new http.Agent({ keepAlive: true });
  return (body) =>
    timedFirst((started) => {
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const request = http.request(`${url}/chat/completions`, { method: "POST", agent, headers });
      request.on("error", (error) => started.reject(error));
      request.on("response", (response) => follow(response, response.statusCode, started));
      request.end(body);
    });
}

/** Sends requests through the door of a sandbox. */
export function callThroughDoor(session: http2.ClientHttp2Session, key: string): Call {
  return (body) =>
    timedFirst((started) => {
      const stream = session.request({
        ":method": "POST",
        ":path": "/v1/chat/completions",
        authorization: `Bearer ${key}`,
      });
      stream.on("error", (error) => started.reject(error));
      stream.on("response", (headers) => follow(stream, headers[":status"], started));
      stream.end(body);
    });
}

type Started = PromiseWithResolvers<void> & { first: () => void };

async function timedFirst(send: (started: Started) => void): Promise<number> {
  const ended = Promise.withResolvers<void>();
  const from = performance.now();
  let firstMs = Number.NaN;
  send({ ...ended, first: () => (firstMs = performance.now() - from) });
  await ended.promise;
  return firstMs;
}

function follow(answer: NodeJS.ReadableStream, status: number | undefined, started: Started): void {
  if (status !== 200) return started.reject(new Error(`the server answered ${status}`));
  answer.once("data", started.first);
  answer.on("error", started.reject);
  answer.on("end", started.resolve);
}
