import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** The treatment of one call: passed on to the model, refused with 429, or cut within its answer. */
export type Treatment = "pass" | "overloaded" | "dies";

/** What is wrong with the way to the model: nothing; no network; it refuses the key, or knows no such model. */
export type ModelFault = "none" | "no network" | "wrong key" | "wrong model";

/** A backend in front of a model that several backends share. */
export interface ModelProxy extends AsyncDisposable {
  /** For LLM_BACKENDS. */
  readonly url: string;
  /** The number of calls of each treatment. */
  readonly seen: Record<Treatment, number>;
  fault: ModelFault;
}

/** The answers of the model's server to every request. */
const REFUSALS = {
  "wrong key": [401, "Incorrect API key provided"],
  "wrong model": [404, "The model `recorded` does not exist."],
} as const;

/** Starts the proxy; `treat` chooses the treatment of each chat completion. */
export async function openModelProxy(
  modelUrl: string,
  treat: (streamed: boolean) => Treatment = () => "pass",
): Promise<ModelProxy> {
  const seen = { pass: 0, overloaded: 0, dies: 0 };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { fault } = proxy;
    if (fault === "no network") return void request.socket.resetAndDestroy();
    if (fault !== "none") {
      const [status, message] = REFUSALS[fault];
      response.writeHead(status, { "content-type": "application/json" });
      return void response.end(JSON.stringify({ error: { message } }));
    }
    if (request.method === "GET") {
      response.setHeader("content-type", "application/json");
      response.end('{"object":"list","data":[]}');
      return;
    }
    const body = await text(request);
    const streamed = (JSON.parse(body) as { stream?: boolean }).stream === true;
    const treatment = treat(streamed);
    seen[treatment] += 1;
    if (treatment === "overloaded") {
      response.writeHead(429, { "retry-after": "0" }).end('{"error":{"message":"too many requests"}}');
      return;
    }
    const headers = { "content-type": "application/json" };
    const passed = await fetch(`${modelUrl}/chat/completions`, { method: "POST", headers, body });
    response.writeHead(passed.status, { "content-type": passed.headers.get("content-type") ?? "" });
    const answerText = await passed.text();
    if (treatment === "pass") response.end(answerText);
    // The first event is complete, so that the gateway passes it on before the cut.
    else response.write(answerText.slice(0, answerText.indexOf("\n\n") + 10), () => request.socket.destroy());
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: ModelProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    fault: "none",
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}
