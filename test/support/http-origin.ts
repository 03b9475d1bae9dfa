import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/**
 * How a host of repositories may be: `well`; `unauthorized` (401 to everybody); `broken` (503); `deaf` (takes
 * connections and says nothing); `forgetful` (does what is pushed, and breaks off before it says so).
 */
export type OriginMood = "well" | "unauthorized" | "broken" | "deaf" | "forgetful";

/** This machine's repositories over HTTP, by git's own server: `<url>/<absolute path>`. */
export interface HttpOrigin extends AsyncDisposable {
  readonly url: string;
  mood: OriginMood;
  /** How many requests were treated in each mood. */
  readonly seen: Record<OriginMood, number>;
  /** Breaks off what hangs. */
  hangUp(): void;
}

export async function openHttpOrigin(): Promise<HttpOrigin> {
  const seen = { well: 0, unauthorized: 0, broken: 0, deaf: 0, forgetful: 0 };
  const server = createServer((request, response) => {
    const pushes = request.method === "POST" && (request.url ?? "").endsWith("/git-receive-pack");
    const { mood } = origin;
    // Only a push can be forgotten.
    const now = mood === "forgetful" && !pushes ? "well" : mood;
    seen[now] += 1;
    if (now === "unauthorized") response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    else if (now === "broken") response.writeHead(503).end();
    else if (now !== "deaf") void serve(request, response, now === "forgetful");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin: HttpOrigin = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mood: "well",
    seen,
    hangUp: () => server.closeAllConnections(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return origin;
}

/** Lets `git http-backend` answer, which speaks CGI (RFC 3875). */
async function serve(request: IncomingMessage, response: ServerResponse, forget: boolean): Promise<void> {
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
  const said = await buffer(child.stdout);
  if (forget) {
    request.socket.destroy();
    return;
  }
  const end = said.indexOf("\r\n\r\n");
  let status = 200;
  for (const line of said.toString("latin1", 0, end).split("\r\n")) {
    const colon = line.indexOf(": ");
    const [name, value] = [line.slice(0, colon), line.slice(colon + 2)];
    if (name === "Status") status = Number(value.split(" ")[0]);
    else response.setHeader(name, value);
  }
  response.writeHead(status).end(said.subarray(end + 4));
}
