import { once } from "node:events";
import * as http2 from "node:http2";
import { connect as connectSocket } from "node:net";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { z } from "zod";
import { Fault } from "@agentswarm/contracts";
import { keepAlive } from "../keep-alive.ts";
import { refusalSchema, WIRE } from "../protocol.ts";
import { readJson } from "../read-json.ts";

const MAX_RESPONSE_BYTES = 16 * 1024 ** 2;
const CONNECT_TIMEOUT_MS = 10_000;

export interface BrokerAddress {
  /** `http://host:port`, or `unix:` and a path. */
  readonly url: string;
  readonly token: string;
}

/** A connection to a broker. The sandboxes that were opened over it end with it. */
export interface Connection {
  closed(): boolean;
  /** Sends a request and reads the JSON of the response. Throws the broker's Fault. */
  request<S extends z.ZodType>(
    method: string,
    path: string,
    options: { schema: S; body?: unknown },
  ): Promise<z.infer<S>>;
  /** Sends a request without reading a response body; false when a GET is answered with 404. */
  send(method: string, path: string, body?: unknown): Promise<boolean>;
  /** Opens a request whose two directions both stay open; `accepted` rejects with the broker's Fault. */
  openStream(path: string): { readonly stream: http2.ClientHttp2Stream; readonly accepted: Promise<void> };
}

/** Throws Fault `sandbox.unavailable` (retryable) when the broker does not answer. */
export async function connectBroker({ url, token }: BrokerAddress): Promise<Connection> {
  const unix = /^unix:(.+)$/.exec(url)?.[1];
  const session = http2.connect(unix === undefined ? url : "http://broker", {
    maxSessionMemory: WIRE.sessionMemoryMib,
    settings: { initialWindowSize: WIRE.streamWindowBytes },
    ...(unix === undefined ? {} : { createConnection: () => connectSocket(unix) }),
  });
  const timeout = setTimeout(
    () => session.destroy(new Error(`no answer within ${CONNECT_TIMEOUT_MS} ms`)),
    CONNECT_TIMEOUT_MS,
  );
  try {
    await once(session, "connect");
  } catch (error) {
    const message = `the broker at BROKER_URL=${url} does not answer: ${(error as Error).message}`;
    throw new Fault("sandbox.unavailable", message, { retryable: true, cause: error });
  } finally {
    clearTimeout(timeout);
  }
  session.on("error", () => undefined);
  session.setLocalWindowSize(WIRE.sessionWindowBytes);
  keepAlive(session);
  session.unref();

  // An idle connection does not keep this process alive; a pending request does.
  let pending = 0;
  const begin = (method: string, path: string, endStream: boolean) => {
    if (session.closed || session.destroyed) throw lost();
    const stream = session.request(
      { ":method": method, ":path": path, authorization: `Bearer ${token}` },
      { endStream },
    );
    pending += 1;
    session.ref();
    stream.on("error", () => undefined);
    stream.once("close", () => {
      pending -= 1;
      if (pending === 0 && !session.destroyed) session.unref();
    });
    return stream;
  };
  const sendRequest = async (method: string, path: string, body: unknown) => {
    const stream = begin(method, path, body === undefined);
    const responded = statusOf(stream);
    if (isStream(body)) {
      // The broker may refuse a request before its whole body was sent.
      const sent = pipeline(body, stream).catch((error: Error) => error);
      const first = await Promise.race([responded.then(() => undefined), sent]);
      if (first instanceof Error && !stream.destroyed) stream.close(http2.constants.NGHTTP2_CANCEL);
    } else if (body !== undefined) stream.end(JSON.stringify(body));
    return { stream, status: await responded };
  };

  return {
    closed: () => session.closed || session.destroyed,
    async request(method, path, { schema, body }) {
      const { stream, status } = await sendRequest(method, path, body);
      if (status >= 400) throw await faultOf(stream);
      return readJson(stream, schema, MAX_RESPONSE_BYTES);
    },
    async send(method, path, body) {
      const { stream, status } = await sendRequest(method, path, body);
      if (status === 404 && method === "GET") {
        stream.resume();
        return false;
      }
      if (status >= 400) throw await faultOf(stream);
      stream.resume();
      return true;
    },
    openStream(path) {
      const stream = begin("POST", path, false);
      const accepted = statusOf(stream).then(async (status) => {
        if (status >= 400) throw await faultOf(stream);
      });
      return { stream, accepted };
    },
  };
}

function isStream(body: unknown): body is Readable {
  return typeof body === "object" && body !== null && "pipe" in body;
}

function lost(): Fault {
  return new Fault(
    "sandbox.died",
    "the connection to the broker was lost, and its sandboxes were terminated",
    {
      retryable: true,
    },
  );
}

function statusOf(stream: http2.ClientHttp2Stream): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.once("response", (headers) => resolve(Number(headers[":status"])));
    stream.once("close", () => reject(lost()));
  });
}

async function faultOf(stream: Readable): Promise<Fault> {
  const { code, message, retryable } = await readJson(stream, refusalSchema, MAX_RESPONSE_BYTES);
  // A refusal that is not retryable still waits for the operator where the code is the operator's.
  return new Fault(code, `broker: ${message}`, retryable ? { retryable } : {});
}
