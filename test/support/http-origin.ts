import { once } from "node:events";
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { startGitHost, type GitHost } from "./git-host/start-git-host.ts";

/**
 * The fault of a git host: `none`; `unauthorized` (answers 401); `unavailable` (answers 503); `hanging` (accepts
 * connections and never answers); `lost-reply` (performs a push and closes the connection before the answer).
 */
export type HostFault = "none" | "unauthorized" | "unavailable" | "hanging" | "lost-reply";

/** The repositories of a folder over HTTP, through a proxy that can be faulty: `<url>/<absolute path>`. */
export interface HttpOrigin extends AsyncDisposable {
  readonly url: string;
  /** Where the git host behind the proxy runs. */
  readonly place: GitHost["place"];
  fault: HostFault;
  /** The number of requests that met each fault. */
  readonly seen: Record<HostFault, number>;
  /** Demands Basic authorization with this `user:password`, and otherwise answers 401. */
  demands: string | null;
  /** Called at every request, while the git of the client waits for its answer. */
  onRequest: () => void;
  /** Closes all connections, among them the hanging ones. */
  closeConnections(): void;
}

export async function openHttpOrigin(folder: string): Promise<HttpOrigin> {
  const host = await startGitHost(folder);
  const seen = { none: 0, unauthorized: 0, unavailable: 0, hanging: 0, "lost-reply": 0 };
  const server = createServer((request, response) => {
    const pushes = request.method === "POST" && (request.url ?? "").endsWith("/git-receive-pack");
    const { fault, demands } = origin;
    origin.onRequest();
    const basic = demands === null ? null : `Basic ${Buffer.from(demands).toString("base64")}`;
    // Only pushes lose their reply.
    const withoutKey = basic !== null && request.headers.authorization !== basic;
    const now = withoutKey ? "unauthorized" : fault === "lost-reply" && !pushes ? "none" : fault;
    seen[now] += 1;
    if (now === "unauthorized") response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    else if (now === "unavailable") response.writeHead(503).end();
    else if (now !== "hanging") void pass(host.url, request, response, now === "lost-reply");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin: HttpOrigin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    place: host.place,
    fault: "none",
    demands: null,
    onRequest: () => undefined,
    seen,
    closeConnections: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await host[Symbol.asyncDispose]();
    },
  };
  return origin;
}

/** Passes a request on to the git host, and its whole answer back. */
async function pass(
  hostUrl: string,
  request: IncomingMessage,
  response: ServerResponse,
  loseReply: boolean,
): Promise<void> {
  const { method, headers } = request;
  const passed = ask(new URL(request.url ?? "/", hostUrl), { method, headers });
  request.pipe(passed);
  try {
    const [answer] = (await once(passed, "response")) as [IncomingMessage];
    const body = await buffer(answer);
    if (loseReply) return void request.socket.destroy();
    const kept = Object.entries(answer.headers).filter(([name]) => name !== "transfer-encoding");
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept)).end(body);
  } catch {
    // The merger sees a git host that is away.
    response.destroy();
  }
}
