import { timingSafeEqual, createHash } from "node:crypto";
import * as http2 from "node:http2";
import { asFault } from "@agentswarm/contracts";
import type { Ceiling } from "./routes.ts";
import { openDockerHost } from "@agentswarm/sandbox/docker";
import { keepAlive } from "../keep-alive.ts";
import { WIRE, type Refusal } from "../protocol.ts";
import { listenAt } from "./listen-at.ts";
import { openLiveContainers } from "./live-containers.ts";
import { createRoutes } from "./routes.ts";

const SWEEP_MS = 60_000;

export interface BrokerOptions {
  /** `host:port`, or the path of a unix socket. */
  readonly listen: string;
  readonly token: string;
  /** Distinguishes brokers on one engine. Sandboxes that an earlier broker of this name left are terminated. */
  readonly name: string;
  /** The image of every sandbox. */
  readonly image: string;
  readonly workBytes: number;
  /** The highest limits that a client may request. */
  readonly ceiling: Ceiling;
  readonly maxContainers: number;
  readonly maxContentBytes: number;
  /** Called with errors that are not the fault of a client. */
  readonly onError?: (error: unknown) => void;
}

export interface Broker extends AsyncDisposable {
  /** The BROKER_URL of clients. */
  readonly url: string;
}

/**
 * Starts the only process that holds the engine's socket. It offers sandboxes, and nothing else of the engine, to clients
 * with the token. The sandboxes of a client end with its connection.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { name, onError = () => undefined } = options;
  const owner = `broker:${name}`;
  const host = await openDockerHost({
    image: options.image,
    workBytes: options.workBytes,
    owner,
    mayEnd: (its) => its === owner,
    isOrphaned: (facts) => facts.owner === owner && !facts.isLive,
  });
  // At start: sandboxes that an earlier broker left. Later: sandboxes whose termination has failed.
  const sweep = async () => {
    for (const sandbox of await host.list(null)) if (sandbox.orphaned) await host.terminate(sandbox.id);
  };
  await sweep();
  const sweeping = setInterval(() => void sweep().catch(onError), SWEEP_MS);
  const live = openLiveContainers();
  const serve = createRoutes(host, live, options);
  const isAuthorized = tokenTest(options.token);

  const server = http2.createServer({
    maxSessionMemory: WIRE.sessionMemoryMib,
    settings: { initialWindowSize: WIRE.streamWindowBytes },
  });
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(WIRE.sessionWindowBytes);
    session.on("error", () => undefined);
    keepAlive(session);
    session.once("close", () => {
      sessions.delete(session);
      live.endSession(session).catch(onError);
    });
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    if (!isAuthorized(headers.authorization))
      return refuse(stream, 401, "wrong token: set BROKER_TOKEN to the broker's BROKER_TOKEN");
    serve(stream, headers).catch((error: unknown) => {
      const { status, refusal } = refusalOf(error);
      if (status >= 500) onError(error);
      refuse(stream, status, refusal.message, refusal);
    });
  });
  const url = await listenAt(server, options.listen);

  return {
    url,
    async [Symbol.asyncDispose]() {
      clearInterval(sweeping);
      server.close();
      for (const session of sessions) session.destroy();
      await live.endAll();
    },
  };
}

/** Compares digests in constant time, so that the duration reveals nothing of the token. */
function tokenTest(token: string): (header: string | undefined) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(`Bearer ${token}`);
  return (header) => timingSafeEqual(expected, digest(header ?? ""));
}

function refusalOf(error: unknown): { status: number; refusal: Refusal } {
  if (error instanceof TypeError)
    return {
      status: 400,
      refusal: { code: "sandbox.refused", message: error.message, retryable: false },
    };
  const { code, message, retryable } = asFault(error);
  if (code === "sandbox.refused") return { status: 403, refusal: { code, message, retryable } };
  if (code === "not-found") return { status: 404, refusal: { code, message, retryable } };
  if (code === "sandbox.died" || code === "sandbox.unavailable")
    return { status: 503, refusal: { code, message, retryable } };
  return { status: 500, refusal: { code: "internal", message, retryable } };
}

function refuse(
  stream: http2.ServerHttp2Stream,
  status: number,
  message: string,
  refusal: Refusal = { code: "sandbox.refused", message, retryable: false },
): void {
  if (stream.destroyed) return;
  // Discards the rest of the request.
  stream.resume();
  if (stream.headersSent) return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  stream.respond({ ":status": status, "content-type": "application/json" });
  stream.end(JSON.stringify(refusal));
}
