import * as http2 from "node:http2";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { AddressInfo } from "node:net";
import { Duplex, type Readable } from "node:stream";
import { DOOR_MODEL_PREFIX, DOOR_MODEL_ROUTES, type DoorRoute } from "@agentswarm/contracts";

/** This end of the sandbox's only door: HTTP/2 over our own stdin and stdout. */
export interface Door {
  getJson(route: DoorRoute): Promise<unknown>;
  /** Saves a body to a file; false when there is none (204). */
  save(route: DoorRoute, file: string): Promise<boolean>;
  send(route: DoorRoute, body: Readable | string): Promise<void>;
  /** A relay on 127.0.0.1 for ordinary HTTP clients, to the model and nothing else. */
  openRelay(): Promise<Relay>;
  close(): void;
}

/** Where the model is reached from within the sandbox. */
export interface Relay {
  readonly baseUrl: string;
  /** Tells the listener the status of every answer of the model from now on. */
  onAnswer(listener: (status: number) => void): void;
}

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "host",
  "http2-settings",
  "te",
]);

export function connectDoor(): Door {
  const session = http2.connect("http://door", {
    createConnection: () => Duplex.from({ readable: process.stdin, writable: process.stdout }),
  });
  // The host is gone: there is nobody left to work for.
  session.on("error", () => process.exit(1));
  session.on("close", () => process.exit(1));
  let relay: Server | undefined;

  const ask = async ({ method, path, body: kind }: DoorRoute, body?: Readable | string) => {
    const type = kind === undefined ? {} : { "content-type": kind.type };
    const headers = { ":method": method, ":path": path, ...type };
    const stream = session.request(headers, { endStream: body === undefined });
    const answered = once(stream, "response") as Promise<[http2.IncomingHttpHeaders]>;
    if (typeof body === "string") stream.end(body);
    else if (body !== undefined)
      body.on("error", () => stream.close(http2.constants.NGHTTP2_CANCEL)).pipe(stream);
    const [answer] = await answered;
    const status = Number(answer[":status"]);
    if (status >= 400) throw new Error(`${method} ${path} was answered ${status}`);
    return { status, stream };
  };
  // Ends are taken from `end`: an http2 stream may count as closed early by those who look at both its sides.
  const consume = (stream: http2.ClientHttp2Stream, onData: (chunk: Buffer) => void) =>
    new Promise<void>((resolve, reject) => {
      stream.on("data", onData);
      stream.on("end", resolve);
      stream.on("error", reject);
      stream.on("aborted", () => reject(new Error("the host broke off")));
    });

  return {
    async getJson(route) {
      const chunks: Buffer[] = [];
      await consume((await ask(route)).stream, (chunk) => chunks.push(chunk));
      return JSON.parse(Buffer.concat(chunks).toString("utf8"));
    },
    async save(route, file) {
      const { status, stream } = await ask(route);
      if (status === 204) {
        stream.resume();
        return false;
      }
      const out = createWriteStream(file);
      await consume(stream, (chunk) => out.write(chunk));
      await new Promise<void>((done) => out.end(done));
      return true;
    },
    async send(route, body) {
      (await ask(route, body)).stream.resume();
    },
    async openRelay() {
      const listeners: ((status: number) => void)[] = [];
      relay = createServer((request, response) => {
        // Whatever runs in the sandbox can reach this; the runner's own paths are not for it.
        if (!isModelRoute(request)) return void response.writeHead(404).end();
        const headers: http2.OutgoingHttpHeaders = {
          ":method": request.method ?? "GET",
          ":path": request.url ?? "/",
        };
        for (const [name, value] of Object.entries(request.headers)) {
          if (!HOP_BY_HOP.has(name)) headers[name] = value;
        }
        const stream = session.request(headers);
        request.pipe(stream);
        // Only once there is an answer: piping earlier would send headers twice.
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
      await once(relay, "listening");
      return {
        baseUrl: `http://127.0.0.1:${(relay.address() as AddressInfo).port}${DOOR_MODEL_PREFIX}`,
        onAnswer: (listener) => void listeners.push(listener),
      };
    },
    close() {
      relay?.closeAllConnections();
      relay?.close();
      session.removeAllListeners("close");
      session.removeAllListeners("error");
      session.close();
    },
  };
}

function isModelRoute({ method, url }: IncomingMessage): boolean {
  return DOOR_MODEL_ROUTES.some((route) => route.method === method && route.path === url);
}
