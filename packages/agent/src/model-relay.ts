import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { DOOR_MODEL_PREFIX, DOOR_MODEL_ROUTES } from "@agentswarm/contracts";

/** The address of the model inside the sandbox. */
export interface ModelRelay {
  readonly baseUrl: string;
  /** Calls the listener with the status of every later answer of the model. */
  onAnswer(listener: (status: number) => void): void;
}

/** Headers that concern one connection only (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "host",
  "http2-settings",
  "te",
]);

/** Starts a server on 127.0.0.1 that passes requests for the model on to the door, for ordinary HTTP clients. */
export async function startModelRelay(
  door: http2.ClientHttp2Session,
): Promise<ModelRelay & { close(): void }> {
  const listeners: ((status: number) => void)[] = [];
  const server = createServer((request, response) => {
    // Every program in the sandbox can reach this server, and the other routes are the runner's.
    if (!isModelRoute(request)) return void response.writeHead(404).end();
    const headers: http2.OutgoingHttpHeaders = {
      ":method": request.method ?? "GET",
      ":path": request.url ?? "/",
    };
    for (const [name, value] of Object.entries(request.headers)) {
      if (!HOP_BY_HOP.has(name)) headers[name] = value;
    }
    const stream = door.request(headers);
    request.pipe(stream);
    // The body is piped only after the response's headers are written: piping earlier would send headers twice.
    stream.on("response", (answered) => {
      const plain = Object.entries(answered).filter(([name]) => !name.startsWith(":"));
      const status = Number(answered[":status"]);
      response.writeHead(status, Object.fromEntries(plain));
      stream.pipe(response);
      if (request.method === "POST") for (const listener of listeners) listener(status);
    });
    stream.on("error", () => response.destroy());
    response.on("close", () => stream.close(http2.constants.NGHTTP2_CANCEL));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}${DOOR_MODEL_PREFIX}`,
    onAnswer: (listener) => void listeners.push(listener),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function isModelRoute({ method, url }: IncomingMessage): boolean {
  return DOOR_MODEL_ROUTES.some((route) => route.method === method && route.path === url);
}
