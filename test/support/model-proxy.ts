import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** The treatment of one call: passed on to the model, refused with 429, or cut within its answer. */
export type Treatment = "pass" | "overloaded" | "dies";

/** A backend in front of a model that several backends share. */
export interface ModelProxy extends AsyncDisposable {
  /** For LLM_BACKENDS. */
  readonly url: string;
  /** The number of calls of each treatment. */
  readonly seen: Record<Treatment, number>;
}

/** Starts the proxy; `treat` chooses the treatment of each chat completion. */
export async function openModelProxy(
  modelUrl: string,
  treat: (streamed: boolean) => Treatment = () => "pass",
): Promise<ModelProxy> {
  const seen = { pass: 0, overloaded: 0, dies: 0 };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
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
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
