import * as http from "node:http";
import type * as http2 from "node:http2";

/** Milliseconds from asking to the first byte of the answer; resolves when the answer is over. */
export type Call = (body: string) => Promise<number>;

/** Asks the server itself. */
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

/** Asks through a sandbox's door. */
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

async function timedFirst(ask: (started: Started) => void): Promise<number> {
  const over = Promise.withResolvers<void>();
  const from = performance.now();
  let firstMs = Number.NaN;
  ask({ ...over, first: () => (firstMs = performance.now() - from) });
  await over.promise;
  return firstMs;
}

function follow(answer: NodeJS.ReadableStream, status: number | undefined, started: Started): void {
  if (status !== 200) return started.reject(new Error(`answered ${status}`));
  answer.once("data", started.first);
  answer.on("error", started.reject);
  answer.on("end", started.resolve);
}
