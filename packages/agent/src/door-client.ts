import { once } from "node:events";
import { createWriteStream } from "node:fs";
import * as http2 from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { Duplex, type Readable } from "node:stream";
import type { DoorRoute } from "@agentswarm/contracts";
import { startModelRelay, type ModelRelay } from "./model-relay.ts";

/** The agent's end of the sandbox's door: HTTP/2 over stdin and stdout. */
export interface DoorClient {
  getJson(route: DoorRoute): Promise<unknown>;
  /** Waits for a JSON answer; null when there is none (204). */
  poll(route: DoorRoute, query: Readonly<Record<string, string | number>>): Promise<unknown>;
  /** Sends JSON and reads the JSON of the answer, which may take long. */
  postJson(route: DoorRoute, body: unknown): Promise<unknown>;
  /** Saves an answer's body to a file. Returns false, and writes no file, when there is no body (204). */
  save(route: DoorRoute, file: string): Promise<boolean>;
  send(route: DoorRoute, body: Readable | string): Promise<void>;
  /** Starts the relay to the model; `close` stops it. */
  openRelay(): Promise<ModelRelay>;
  close(): void;
}

/** The doors of all sandboxes hold too much at the moment. */
const FULL = 503;
const MAX_TRIES = 30;
const RETRY_MS = 1_000;

/** Connects to the dispatcher. The process exits when the connection is lost. */
export function connectDoor(): DoorClient {
  const session = http2.connect("http://door", {
    createConnection: () => Duplex.from({ readable: process.stdin, writable: process.stdout }),
  });
  // Without a dispatcher the attempt can have no result.
  session.on("error", () => process.exit(1));
  session.on("close", () => process.exit(1));
  let relay: Awaited<ReturnType<typeof startModelRelay>> | undefined;

  const askOnce = async (
    { method, path, body: kind }: DoorRoute,
    body?: Readable | string,
    query: Readonly<Record<string, string | number>> = {},
  ) => {
    const type = kind === undefined ? {} : { "content-type": kind.type };
    const search = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const whole = search.length === 0 ? path : `${path}?${search.join("&")}`;
    const headers = { ":method": method, ":path": whole, ...type };
    const stream = session.request(headers, { endStream: body === undefined });
    const answered = once(stream, "response") as Promise<[http2.IncomingHttpHeaders]>;
    if (typeof body === "string") stream.end(body);
    else if (body !== undefined)
      body.on("error", () => stream.close(http2.constants.NGHTTP2_CANCEL)).pipe(stream);
    const [answer] = await answered;
    const status = Number(answer[":status"]);
    return { status, stream };
  };
  const ask = async (route: DoorRoute, body?: Readable | string) => {
    for (let tries = 1; ; tries += 1) {
      const { status, stream } = await askOnce(route, body);
      if (status < 400) return { status, stream };
      stream.resume();
      // A stream can be sent only once.
      const mayRetry = status === FULL && typeof body === "string" && tries < MAX_TRIES;
      if (!mayRetry) throw new Error(`${route.method} ${route.path} was answered ${status}`);
      await sleep(RETRY_MS);
    }
  };
  // Waits for `end` by hand: `finished` and `pipeline` may take an HTTP/2 stream for closed early.
  const consume = (stream: http2.ClientHttp2Stream, onData: (chunk: Buffer) => void) =>
    new Promise<void>((resolve, reject) => {
      stream.on("data", onData);
      stream.on("end", resolve);
      stream.on("error", reject);
      stream.on("aborted", () => reject(new Error("the dispatcher aborted the answer")));
    });

  const readJson = async (stream: http2.ClientHttp2Stream): Promise<unknown> => {
    const chunks: Buffer[] = [];
    await consume(stream, (chunk) => chunks.push(chunk));
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  };

  return {
    getJson: async (route) => readJson((await ask(route)).stream),
    async poll(route, query) {
      const { status, stream } = await askOnce(route, undefined, query);
      if (status === 200) return readJson(stream);
      // A stream that ends with its headers emits no `end` to wait for.
      stream.resume();
      if (status === 204) return null;
      throw new Error(`${route.method} ${route.path} was answered ${status}`);
    },
    postJson: async (route, body) => readJson((await ask(route, JSON.stringify(body))).stream),
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
      relay = await startModelRelay(session);
      return relay;
    },
    close() {
      relay?.close();
      session.removeAllListeners("close");
      session.removeAllListeners("error");
      session.close();
    },
  };
}
