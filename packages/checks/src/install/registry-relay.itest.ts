import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, createServer as createHttp2, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { npmConfigOf } from "./npm-config.ts";
import { openRegistryRelay, type RelayLimits } from "./registry-relay.ts";

const AUTHORITY = "127.0.0.1:4711";
const heard: string[] = [];
let upstream: Server;
let origin: string;
beforeAll(async () => {
  upstream = createServer((request, response) => {
    const url = request.url ?? "/";
    heard.push(`${request.method} ${url}`);
    if (url === "/npm/elsewhere.tgz") response.writeHead(302, { location: "http://127.0.0.2:9/x.tgz" }).end();
    else if (url === "/npm/moved.tgz") response.writeHead(302, { location: "/npm/a/-/a.tgz" }).end();
    else if (url === "/npm/loop.tgz") response.writeHead(302, { location: url }).end();
    else if (url === "/npm/broken") response.writeHead(503).end();
    else if (url === "/npm/list") {
      const tarballs = [`${origin}/npm/a/-/a.tgz`, `${origin}/files/b.tgz?x=1`, "https://evil.example/c.tgz"];
      const versions = Object.fromEntries(
        tarballs.map((tarball, nth) => [`${nth}.0.0`, { dist: { tarball } }]),
      );
      const headers = { "content-type": "application/json", "content-encoding": "gzip" };
      response.writeHead(200, headers).end(gzipSync(JSON.stringify({ name: "list", versions })));
    } else if (url.endsWith(".tgz") || url.startsWith("/files/")) response.end(`content of ${url}`);
    else response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A relay for one registry under `<origin>/npm/`, and a client as npm in the sandbox. */
async function openPair(limits: Partial<RelayLimits> = {}, registry = `${origin}/npm/`) {
  const config = npmConfigOf({ registry }, () => "");
  const relay = openRegistryRelay({ config, env: {}, log: { debug: () => undefined }, limits });
  const server: Http2Server = createHttp2();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    relay.handle(stream, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const base = new URL(relay.registryUrls(AUTHORITY)[0]?.url ?? "").pathname.replace(/npm\/$/, "");
  return {
    relay,
    base,
    async ask(path: string, method = "GET"): Promise<Answer> {
      const stream = session.request({
        ":method": method,
        ":path": path.startsWith("http") ? path.slice(`http://${AUTHORITY}`.length) : `${base}${path}`,
        ":authority": AUTHORITY,
      });
      const [headers] = (await once(stream, "response")) as [{ ":status": number }];
      return { status: headers[":status"], body: await text(stream) };
    },
    [Symbol.dispose]() {
      session.destroy();
      server.close();
      relay.close();
    },
  };
}

test("what lies under the registry is fetched, with redirects on its own host", async () => {
  using pair = await openPair();
  expect(await pair.ask("npm/a/-/a.tgz")).toEqual({ status: 200, body: "content of /npm/a/-/a.tgz" });
  expect(await pair.ask("npm/moved.tgz")).toEqual({ status: 200, body: "content of /npm/a/-/a.tgz" });
  expect(pair.relay.used).toMatchObject({ requests: 2, failure: null, exceeded: null });
});

test.each([
  "admin",
  "npm/../admin",
  "npm/%2e%2e/admin",
  "npm/..%5cadmin/../../admin",
  "npm/..%2fadmin",
  "npm/x%2F%2e.%5cadmin",
  "/npm2/x",
])("the path %s of the registry's host is not fetched", async (path) => {
  using pair = await openPair();
  heard.length = 0;
  expect((await pair.ask(path)).status).toBe(403);
  expect(heard).toEqual([]);
});

test("a redirect to another host is refused and named, and one without an end is given up", async () => {
  using pair = await openPair();
  const elsewhere = await pair.ask("npm/elsewhere.tgz");
  expect(elsewhere).toMatchObject({ status: 403, body: expect.stringContaining("redirects to 127.0.0.2:9") });
  expect((await pair.ask("npm/loop.tgz")).status).toBe(502);
});

test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("%s is refused", async (method) => {
  using pair = await openPair();
  heard.length = 0;
  expect((await pair.ask("npm/-/npm/v1/security/advisories/bulk", method)).status).toBe(405);
  expect(heard).toEqual([]);
});

test("a list of versions names its tarballs in the relay; those of another host are refused by its name", async () => {
  using pair = await openPair();
  const { versions } = JSON.parse((await pair.ask("npm/list")).body) as {
    versions: Record<string, { dist: { tarball: string } }>;
  };
  const [own = "", named = "", foreign = ""] = Object.values(versions).map(({ dist }) => dist.tarball);
  for (const url of [own, named, foreign]) expect(url).toMatch(`http://${AUTHORITY}${pair.base}`);
  expect((await pair.ask(own)).body).toBe("content of /npm/a/-/a.tgz");
  // Outside the registry's path, but the registry itself says so.
  expect((await pair.ask(named)).body).toBe("content of /files/b.tgz?x=1");
  expect(await pair.ask(foreign)).toMatchObject({
    status: 403,
    body: expect.stringContaining("evil.example"),
  });
});

test("another token, another registry's number and another relay's address are not found", async () => {
  using pair = await openPair();
  expect(pair.relay.owns(`${pair.base}npm/a`)).toBe(true);
  expect(pair.relay.owns("/order")).toBe(false);
  expect(pair.relay.owns(`/${"0".repeat(32)}/0/npm/a`)).toBe(false);
  expect((await pair.ask(`http://${AUTHORITY}${pair.base.replace(/0\/$/, "1/")}npm/a`)).status).toBe(404);
});

test("a limit that is exceeded ends the installation's requests, and the reason names it", async () => {
  using pair = await openPair({ requests: 2 });
  await pair.ask("npm/a");
  await pair.ask("npm/a");
  expect((await pair.ask("npm/a")).status).toBe(403);
  expect(pair.relay.used.exceeded).toBe("2 requests to registries");
  using other = await openPair({ bytes: 10 });
  await other.ask("npm/a/-/a.tgz").catch(() => undefined);
  expect(other.relay.used.exceeded).toBe("10 bytes from registries");
});

test("a registry that answers 5xx or cannot be reached is a failure of its own, and 404 is none", async () => {
  using pair = await openPair();
  await pair.ask("npm/broken");
  expect(pair.relay.used.failure).toContain("answered 503 for /npm/broken");
  using gone = await openPair({}, "http://127.0.0.1:1/");
  expect((await gone.ask("a")).status).toBe(502);
  expect(gone.relay.used.failure).toContain("127.0.0.1:1");
});

test("a name that resolves to this machine is reached only when the operator named the registry", async () => {
  const { port } = new URL(origin);
  using named = await openPair({}, `http://localhost:${port}/npm/`);
  expect((await named.ask("npm/a/-/a.tgz")).status).toBe(200);
});
