import { timingSafeEqual, createHash } from "node:crypto";
import * as http2 from "node:http2";
import { Fault } from "@agentswarm/contracts";
import type { SandboxLimits } from "@agentswarm/sandbox";
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
  /** Told apart by this from other brokers on the same engine; what an earlier one of this name left is ended. */
  readonly name: string;
  /** The one image there is. */
  readonly image: string;
  readonly workBytes: number;
  /** No sandbox gets more. */
  readonly ceiling: SandboxLimits;
  readonly maxContainers: number;
  readonly maxContentBytes: number;
  readonly onError?: (error: unknown) => void;
}

export interface Broker extends AsyncDisposable {
  /** What clients set as BROKER_URL. */
  readonly url: string;
}

/**
 * The only holder of the engine's socket: offers sandboxes, and nothing else that an engine could do, to whoever has
 * the token. What a client has opened ends with its connection.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { name, onError = () => undefined } = options;
  const owner = `broker:${name}`;
  const host = await openDockerHost({
    image: options.image,
    workBytes: options.workBytes,
    owner,
    isOrphaned: (written, isLive) => written === owner && !isLive,
  });
  // At first what an earlier broker left; later on what could not be ended when it should have been.
  const sweep = async () => {
    for (const left of await host.list(null)) if (left.orphaned) await host.terminate(left.id);
  };
  await sweep();
  const sweeping = setInterval(() => void sweep().catch(onError), SWEEP_MS);
  const live = openLiveContainers();
  const serve = createRoutes(host, live, options);
  const isToken = tokenTest(options.token);

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
      live.endOf(session).catch(onError);
    });
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    if (!isToken(headers.authorization)) return refuse(stream, 401, "the token is not the broker's");
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

/** Compares digests, in a time that tells nothing of the token. */
function tokenTest(token: string): (given: string | undefined) => boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const right = digest(`Bearer ${token}`);
  return (given) => timingSafeEqual(right, digest(given ?? ""));
}

function refusalOf(error: unknown): { status: number; refusal: Refusal } {
  if (error instanceof TypeError)
    return {
      status: 400,
      refusal: { code: "sandbox.refused", message: error.message, retryable: false },
    };
  const { code, message, retryable } = Fault.from(error);
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
  // What it still sends is not wanted.
  stream.resume();
  if (stream.headersSent) return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  stream.respond({ ":status": status, "content-type": "application/json" });
  stream.end(JSON.stringify(refusal));
}
