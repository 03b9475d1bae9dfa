import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/**
 * The fault of a git host: `none`; `unauthorized` (answers 401); `unavailable` (answers 503); `hanging` (accepts
 * connections and never answers); `lost-reply` (performs a push and closes the connection before the answer).
 */
export type HostFault = "none" | "unauthorized" | "unavailable" | "hanging" | "lost-reply";

/** The repositories of this machine over HTTP, served by `git http-backend`: `<url>/<absolute path>`. */
export interface HttpOrigin extends AsyncDisposable {
  readonly url: string;
  fault: HostFault;
  /** The number of requests that met each fault. */
  readonly seen: Record<HostFault, number>;
  /** Closes all connections, among them the hanging ones. */
  closeConnections(): void;
}

export async function openHttpOrigin(): Promise<HttpOrigin> {
  const seen = { none: 0, unauthorized: 0, unavailable: 0, hanging: 0, "lost-reply": 0 };
  const server = createServer((request, response) => {
    const pushes = request.method === "POST" && (request.url ?? "").endsWith("/git-receive-pack");
    const { fault } = origin;
    // Only pushes lose their reply.
    const now = fault === "lost-reply" && !pushes ? "none" : fault;
    seen[now] += 1;
    if (now === "unauthorized") response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    else if (now === "unavailable") response.writeHead(503).end();
    else if (now !== "hanging") void serve(request, response, now === "lost-reply");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin: HttpOrigin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fault: "none",
    seen,
    closeConnections: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return origin;
}

/** Answers by `git http-backend`, over CGI (RFC 3875). */
async function serve(request: IncomingMessage, response: ServerResponse, loseReply: boolean): Promise<void> {
  const url = new URL(request.url ?? "/", "http://origin");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: "/",
      GIT_HTTP_EXPORT_ALL: "1",
      REMOTE_USER: "tester",
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers["content-type"],
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
      HTTP_GIT_PROTOCOL: request.headers["git-protocol"] as string | undefined,
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => undefined);
  request.pipe(child.stdin);
  const output = await buffer(child.stdout);
  if (loseReply) {
    request.socket.destroy();
    return;
  }
  const end = output.indexOf("\r\n\r\n");
  let status = 200;
  for (const line of output.toString("latin1", 0, end).split("\r\n")) {
    const colon = line.indexOf(": ");
    const [name, value] = [line.slice(0, colon), line.slice(colon + 2)];
    if (name === "Status") status = Number(value.split(" ")[0]);
    else response.setHeader(name, value);
  }
  response.writeHead(status).end(output.subarray(end + 4));
}
