import { randomBytes } from "node:crypto";
import * as http from "node:http";
import * as https from "node:https";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { NpmConfig, Registry } from "./npm-config.ts";
import { openRegistryAgents } from "./registry-agents.ts";
import { PUBLIC_REGISTRY } from "./public-registry.ts";

/** The part of a logger that the relay needs. */
export interface RelayLog {
  debug(fields: object, message: string): void;
}

/** What one installation may take from the registries. */
export interface RelayLimits {
  readonly requests: number;
  readonly bytes: number;
  /** A list of a package's versions is held in memory while its addresses are replaced. */
  readonly listBytes: number;
  readonly timeoutMs: number;
}

export const RELAY_LIMITS: RelayLimits = {
  requests: 20_000,
  bytes: 4 * 2 ** 30,
  listBytes: 128 * 2 ** 20,
  timeoutMs: 60_000,
};

/**
 * The only way out of an installation's sandbox: GET and HEAD of what lies under the configured registries. The paths
 * are `/<token>/<number of the registry><path>`; the token keeps other programs out where sandboxes are not isolated.
 */
export interface RegistryRelay {
  /** Whether a path is the relay's. */
  owns(path: string): boolean;
  handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
  /** The relay's address of each registry, in the order of the configuration. */
  registryUrls(authority: string): readonly { readonly scope: string | null; readonly url: string }[];
  /** The relay's address of a tarball that a lockfile names; null when npm must ask the registry for it. */
  tarballUrl(resolved: string, authority: string): string | null;
  /** What happened so far. */
  readonly used: {
    readonly requests: number;
    readonly bytes: number;
    /** The first failure that the registry or the network caused; null when there was none. */
    readonly failure: string | null;
    /** The limit that was exceeded; null when none was. */
    readonly exceeded: string | null;
  };
  close(): void;
}

const AUTHORITY = /^127\.0\.0\.1:\d{1,5}$/;
const ACCEPT = /^[\w.+/*;=,\s-]{1,300}$/;
const MAX_REDIRECTS = 3;
/** npm opens fewer connections (`maxsockets`). */
const MAX_AT_ONCE = 32;

/** A request that is not answered with what it asks for. */
class Refusal extends Error {
  readonly status: number;
  constructor(status: number, why: string) {
    super(why);
    this.status = status;
  }
}

export function openRegistryRelay(options: {
  readonly config: NpmConfig;
  /** For the proxies of this machine. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: RelayLog;
  readonly limits?: Partial<RelayLimits>;
  readonly signal?: AbortSignal;
}): RegistryRelay {
  const { config, log } = options;
  const limits = { ...RELAY_LIMITS, ...options.limits };
  const token = randomBytes(16).toString("hex");
  const agents = openRegistryAgents(config, options.env);
  /** Tarballs that a registry itself named outside its own path, by their path in the relay. */
  const named = new Map<string, URL>();
  const used: { -readonly [K in keyof RegistryRelay["used"]]: RegistryRelay["used"][K] } = {
    requests: 0,
    bytes: 0,
    failure: null,
    exceeded: null,
  };
  let atOnce = 0;

  const relayed = (authority: string, nth: number, path: string) =>
    `http://${authority}/${token}/${nth}${path}`;

  /** The address that a path in the relay stands for. */
  const find = (path: string): { readonly nth: number; readonly registry: Registry; readonly url: URL } => {
    const known = named.get(path);
    const found = /^\/[0-9a-f]+\/(\d{1,3})(\/.*)$/.exec(path);
    const nth = Number(found?.[1]);
    const registry = config.registries[nth];
    if (found === null || registry === undefined) throw new Refusal(404, "no such registry");
    const url = known ?? new URL(registry.url.origin + (found[2] ?? "/"));
    if (known === undefined && !isUnder(url, registry.url))
      throw new Refusal(403, `${url.pathname} is not under ${registry.url.href}`);
    return { nth, registry, url };
  };

  const count = (bytes: number) => {
    used.bytes += bytes;
    if (used.bytes > limits.bytes) exceed(`${limits.bytes} bytes from registries`);
  };
  const exceed = (limit: string) => {
    used.exceeded ??= limit;
    throw new Refusal(403, `the installation exceeds its limit of ${limit}`);
  };

  const ask = async (
    registry: Registry,
    url: URL,
    method: string,
    accept: string,
  ): Promise<http.IncomingMessage> => {
    let at = url;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const answer = await request(registry, at, method, accept);
      const { statusCode = 0 } = answer;
      const { location } = answer.headers;
      if (statusCode < 300 || statusCode >= 400 || location === undefined) return answer;
      answer.destroy();
      const next = new URL(location, at);
      if (next.origin !== at.origin)
        throw new Refusal(403, `${at.href} redirects to ${next.host}, which is not the configured registry`);
      at = next;
    }
    throw new Refusal(502, `${url.href} redirects too often`);
  };

  const request = (registry: Registry, url: URL, method: string, accept: string) =>
    new Promise<http.IncomingMessage>((resolve, reject) => {
      const authorization = config.authorization(url);
      const asked = (url.protocol === "https:" ? https : http).request(url, {
        method,
        agent: agents.of(registry),
        headers: {
          accept,
          "accept-encoding": isTarball(url) ? "identity" : "gzip",
          "user-agent": "agentswarm",
          ...(authorization === null ? {} : { authorization }),
        },
        timeout: limits.timeoutMs,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      asked.on("timeout", () => asked.destroy(new Error(`no answer within ${limits.timeoutMs} ms`)));
      asked.on("response", resolve);
      asked.on("error", reject);
      asked.end();
    });

  /** Replaces the addresses of tarballs in a registry's list of a package's versions by the relay's. */
  const rewrite = (text: string, nth: number, registry: Registry, authority: string): string => {
    const list = JSON.parse(text) as { versions?: Record<string, { dist?: { tarball?: unknown } }> };
    for (const { dist } of Object.values(list.versions ?? {})) {
      if (typeof dist?.tarball === "string") dist.tarball = place(dist.tarball, nth, registry, authority);
    }
    return JSON.stringify(list);
  };

  const place = (tarball: string, nth: number, registry: Registry, authority: string): string => {
    const url = URL.parse(tarball);
    if (url === null) return tarball;
    const own = underRegistry(url, registry);
    if (own !== null) return relayed(authority, nth, own);
    if (url.host !== registry.url.host) return relayed(authority, nth, `/-/elsewhere/${url.host}`);
    const name = url.pathname.slice(url.pathname.lastIndexOf("/") + 1);
    const at = `${registry.url.pathname}-/named/${named.size}/${name}`;
    named.set(`/${token}/${nth}${at}`, new URL(url.pathname + url.search, registry.url.origin));
    return relayed(authority, nth, at);
  };

  const answer = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const { ":method": method = "GET", ":path": path = "/", ":authority": authority = "", accept } = headers;
    if (method !== "GET" && method !== "HEAD")
      throw new Refusal(405, `${method} is not relayed to registries`);
    if (!AUTHORITY.test(authority)) throw new Refusal(400, "not the relay's address");
    used.requests += 1;
    if (used.requests > limits.requests) exceed(`${limits.requests} requests to registries`);
    if (used.exceeded !== null) exceed(used.exceeded);
    const elsewhere = /\/-\/elsewhere\/(.*)$/.exec(path)?.[1];
    if (elsewhere !== undefined)
      throw new Refusal(403, `the registry keeps this package on ${elsewhere}, which is not configured`);
    const { nth, registry, url } = find(path);
    const accepted = typeof accept === "string" && ACCEPT.test(accept) ? accept : "*/*";
    const got = await ask(registry, url, method, accepted);
    const { statusCode = 502 } = got;
    log.debug({ method, url: url.origin + url.pathname, status: statusCode }, "package registry request");
    if (statusCode >= 500 || statusCode === 429)
      used.failure ??= `${url.host} answered ${statusCode} for ${url.pathname}`;
    const type = got.headers["content-type"] ?? "application/octet-stream";
    const body = got.headers["content-encoding"] === "gzip" ? got.pipe(createGunzip()) : got;
    got.on("error", (error) => body.destroy(error));
    if (method === "HEAD" || !type.includes("json") || isTarball(url)) {
      stream.respond({ ":status": statusCode, "content-type": type });
      for await (const chunk of body) {
        count((chunk as Buffer).length);
        await write(stream, chunk as Buffer);
      }
      stream.end();
      return;
    }
    const text = await read(body, limits.listBytes, count);
    stream.respond({ ":status": statusCode, "content-type": type });
    stream.end(statusCode === 200 ? rewrite(text, nth, registry, authority) : text);
  };

  const fail = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, error: unknown) => {
    const { message, status } =
      error instanceof Refusal ? error : { message: (error as Error).message || String(error), status: 502 };
    const path = String(headers[":path"]).replace(`/${token}`, "");
    log.debug({ method: headers[":method"], path, status, why: message }, "package registry request refused");
    if (!(error instanceof Refusal)) {
      const nth = Number(/^\/(\d+)/.exec(path)?.[1]);
      used.failure ??= `${config.registries[nth]?.url.host ?? "the registry"}: ${message}`;
    }
    if (stream.destroyed) return;
    if (stream.headersSent) return stream.close();
    stream.respond({ ":status": status, "content-type": "application/json" });
    stream.end(JSON.stringify({ error: message }));
  };

  return {
    used,
    owns: (path) => path.startsWith(`/${token}/`),
    handle(stream, headers) {
      stream.resume();
      if (atOnce >= MAX_AT_ONCE) return fail(stream, headers, new Refusal(429, "too many requests at once"));
      atOnce += 1;
      answer(stream, headers)
        .catch((error: unknown) => fail(stream, headers, error))
        .finally(() => (atOnce -= 1));
    },
    registryUrls: (authority) =>
      config.registries.map(({ scope, url }, nth) => ({ scope, url: relayed(authority, nth, url.pathname) })),
    tarballUrl(resolved, authority) {
      const url = URL.parse(resolved);
      if (url === null) return null;
      const scope = /\/(@[^/]+)\//.exec(decodeURI(url.pathname))?.[1];
      const ofScope = config.registries.findIndex((one) => scope !== undefined && one.scope === scope);
      const nth = Math.max(ofScope, 0);
      const registry = config.registries[nth];
      const path = registry === undefined ? null : underRegistry(url, registry);
      return path === null ? null : relayed(authority, nth, path);
    },
    close: () => agents.close(),
  };
}

/** The path of a tarball below a registry; null when it is elsewhere. */
function underRegistry(url: URL, registry: Registry): string | null {
  if (url.host === registry.url.host) return isUnder(url, registry.url) ? url.pathname + url.search : null;
  // Package managers take this address for that of the configured registry.
  if (url.host !== PUBLIC_REGISTRY.host) return null;
  return registry.url.pathname + url.pathname.slice(1);
}

function isUnder(url: URL, registry: URL): boolean {
  const isPlain = !/(?:^|[/\\]|%2f|%5c)(?:\.|%2e){2}(?:$|[/\\]|%2f|%5c)/i.test(url.pathname);
  return isPlain && url.host === registry.host && url.pathname.startsWith(registry.pathname);
}

function isTarball(url: URL): boolean {
  return /\.(?:tgz|tar\.gz)$/.test(url.pathname);
}

async function read(body: Readable, maxBytes: number, count: (bytes: number) => void): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    count(chunk.length);
    if (bytes > maxBytes)
      throw new Refusal(403, `the list of the package's versions exceeds ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function write(stream: ServerHttp2Stream, chunk: Buffer): Promise<void> {
  if (stream.destroyed) throw new Refusal(499, "the sandbox closed the request");
  if (stream.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}
