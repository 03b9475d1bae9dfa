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

const MAX_ANSWER_BYTES = 16 * 1024 ** 2;
const CONNECT_TIMEOUT_MS = 10_000;

export interface BrokerAddress {
  /** `http://host:port`, or `unix:` and a path. */
  readonly url: string;
  readonly token: string;
}

/** One connection to a broker. Whatever was opened over it ends with it. */
export interface Connection {
  closed(): boolean;
  /** Sends a body, if any, and reads what is answered; null for an answer without content, and for `missing`. */
  ask<S extends z.ZodType>(
    method: string,
    path: string,
    options: { schema: S; body?: unknown },
  ): Promise<z.infer<S>>;
  /** Whether it is there; `body` is sent along. */
  tell(method: string, path: string, body?: unknown): Promise<boolean>;
  /** A request whose streams both go on. */
  join(path: string): { readonly stream: http2.ClientHttp2Stream; readonly answered: Promise<void> };
}

/** Throws Fault `sandbox.unavailable` (retryable) when the broker does not answer. */
export async function connectBroker({ url, token }: BrokerAddress): Promise<Connection> {
  const unix = /^unix:(.+)$/.exec(url)?.[1];
  const session = http2.connect(unix === undefined ? url : "http://broker", {
    maxSessionMemory: WIRE.sessionMemoryMib,
    settings: { initialWindowSize: WIRE.streamWindowBytes },
    ...(unix === undefined ? {} : { createConnection: () => connectSocket(unix) }),
  });
  const late = setTimeout(() => session.destroy(new Error("no answer")), CONNECT_TIMEOUT_MS);
  try {
    await once(session, "connect");
  } catch (error) {
    const message = `the broker at ${url} does not answer: ${(error as Error).message}`;
    throw new Fault("sandbox.unavailable", message, { retryable: true, cause: error });
  } finally {
    clearTimeout(late);
  }
  session.on("error", () => undefined);
  session.setLocalWindowSize(WIRE.sessionWindowBytes);
  keepAlive(session);
  session.unref();

  // The connection alone keeps no process alive, but whoever waits for an answer does.
  let waiting = 0;
  const begin = (method: string, path: string, endStream: boolean) => {
    if (session.closed || session.destroyed) throw lost();
    const stream = session.request(
      { ":method": method, ":path": path, authorization: `Bearer ${token}` },
      { endStream },
    );
    waiting += 1;
    session.ref();
    stream.on("error", () => undefined);
    stream.once("close", () => {
      waiting -= 1;
      if (waiting === 0 && !session.destroyed) session.unref();
    });
    return stream;
  };
  const request = async (method: string, path: string, body: unknown) => {
    const stream = begin(method, path, body === undefined);
    const answered = statusOf(stream);
    if (isStream(body)) {
      // A refusal comes before the whole body is sent.
      const sent = pipeline(body, stream).catch((error: Error) => error);
      const first = await Promise.race([answered.then(() => undefined), sent]);
      if (first instanceof Error && !stream.destroyed) stream.close(http2.constants.NGHTTP2_CANCEL);
    } else if (body !== undefined) stream.end(JSON.stringify(body));
    return { stream, status: await answered };
  };

  return {
    closed: () => session.closed || session.destroyed,
    async ask(method, path, { schema, body }) {
      const { stream, status } = await request(method, path, body);
      if (status >= 400) throw await faultOf(stream);
      return readJson(stream, schema, MAX_ANSWER_BYTES);
    },
    async tell(method, path, body) {
      const { stream, status } = await request(method, path, body);
      if (status === 404 && method === "GET") {
        stream.resume();
        return false;
      }
      if (status >= 400) throw await faultOf(stream);
      stream.resume();
      return true;
    },
    join(path) {
      const stream = begin("POST", path, false);
      const answered = statusOf(stream).then(async (status) => {
        if (status >= 400) throw await faultOf(stream);
      });
      return { stream, answered };
    },
  };
}

function isStream(body: unknown): body is Readable {
  return typeof body === "object" && body !== null && "pipe" in body;
}

function lost(): Fault {
  return new Fault("sandbox.died", "the connection to the broker is gone, and its sandboxes with it", {
    retryable: true,
  });
}

function statusOf(stream: http2.ClientHttp2Stream): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.once("response", (headers) => resolve(Number(headers[":status"])));
    stream.once("close", () => reject(lost()));
  });
}

async function faultOf(stream: Readable): Promise<Fault> {
  const { code, message, retryable } = await readJson(stream, refusalSchema, MAX_ANSWER_BYTES);
  return new Fault(code, `broker: ${message}`, { retryable });
}
