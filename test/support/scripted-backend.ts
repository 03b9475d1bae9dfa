import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Reply = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Record<string, unknown>,
) => void;

export interface ScriptedBackend extends AsyncDisposable {
  readonly baseUrl: string;
  /** Every request so far. */
  readonly asked: { authorization: string | undefined; body: Record<string, unknown> }[];
  /** The number of requests for its list of models at /v1/models, the status of the answers and the models' names. */
  readonly models: { asked: number; status: number; ids: string[] };
}

/** A real HTTP server that answers the n-th request with the n-th reply and all later ones with the last. */
export async function startBackend(...replies: [Reply, ...Reply[]]): Promise<ScriptedBackend> {
  const asked: ScriptedBackend["asked"] = [];
  const models: ScriptedBackend["models"] = { asked: 0, status: 200, ids: [] };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method === "GET") {
        models.asked += 1;
        const status = request.url === "/v1/models" ? models.status : 404;
        return json(status, { data: models.ids.map((id) => ({ id })) })(request, response, {});
      }
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
      asked.push({ authorization: request.headers.authorization, body });
      (replies[asked.length - 1] ?? replies.at(-1) ?? replies[0])(request, response, body);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    models,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export const USAGE = {
  prompt_tokens: 1_000,
  completion_tokens: 100,
  prompt_tokens_details: { cached_tokens: 400 },
};

export function chunk(delta: object, finish: string | null = null): object {
  return { id: "c", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] };
}

export function event(data: object | string): string {
  return `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
}

/** A stream of these chunks with its usage and [DONE]. */
export function streamed(...chunks: object[]): Reply {
  return (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const one of chunks) response.write(event(one));
    response.end(event({ choices: [], usage: USAGE }) + event("[DONE]"));
  };
}

export function json(status: number, body: object, headers: Record<string, string> = {}): Reply {
  return (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
}

export const HELLO = [
  chunk({ role: "assistant", content: "hel" }),
  chunk({ content: "lo" }),
  chunk({}, "stop"),
];
