import type { FastifyRequest } from "fastify";
import { includesRole } from "@agentswarm/contracts";
import type { App } from "../app-type.ts";
import type { KeyRing } from "./key-ring.ts";
import { actorOf, checkKey, type KeyCheck } from "./keys.ts";
import { Problem } from "../problem.ts";
import { countFailedLogins } from "./failed-logins.ts";
import { isSafe, LOCAL, neededRole, NOBODY, viaOfRequest, type Person } from "./person.ts";
import { isLoopback } from "./reached-at.ts";

/** Whether everybody may ask for it, as for the probes. */
export function isOpen(request: FastifyRequest): boolean {
  return neededRole(request) === "nothing";
}

export interface KeyDemand {
  /** Whether a key is needed even while there are none. */
  readonly always: boolean;
  /** Names of this machine besides those of loopback, as in a network of containers. */
  readonly hosts: readonly string[];
}

/**
 * Refuses requests without authorization. With keys: Bearer, or HTTP Basic with the key as password. Without keys: only
 * requests that name this machine as their host and origin are let in, so that no web page can reach the api through a
 * user's browser, and changes only from programs and from the api's own pages. When keys are always demanded, all are refused, as after the last key of a published address was
 * revoked.
 */
export function guard(app: App, keys: KeyRing, demand: KeyDemand): void {
  const isOwn = (host: string) => isLoopback(host) || demand.hosts.includes(host);
  const failed = countFailedLogins();
  app.addHook("onRoute", ({ url, method, config }) => {
    if (url.startsWith("/v1/") && config?.needs === undefined)
      throw new Error(
        `${String(method)} ${url} is in no table of routes, so nobody knows who may ask for it`,
      );
  });
  app.addHook("onRequest", async (request, reply) => {
    const via = viaOfRequest(request);
    const needed = neededRole(request);
    request.person = { ...NOBODY, via };
    if (needed === "nothing") return;
    const known = await keys.list();
    if (!demand.always && known.length === 0) {
      refuseForeign(request, isOwn);
      refuseForgery(request);
      request.person = { ...LOCAL, via };
      return;
    }
    const checked = checkKey(known, keyTextOf(request), Date.now());
    if (checked.kind !== "valid") {
      const retryAfter = failed.note(request.ip, performance.now());
      if (retryAfter !== null)
        throw new Problem(429, "too-many-failures", `too many wrong keys from ${request.ip}`, retryAfter);
      void reply.header("www-authenticate", 'Basic realm="AgentSwarm", Bearer');
      throw new Problem(401, "unauthorized", explainRefusal(checked));
    }
    const { key } = checked;
    const by = actorOf(key);
    if (!includesRole(key.role, needed)) {
      const why = `this needs the role ${needed}, and key ${key.id} has the role ${key.role}: use another key, or make one with keys create --role ${needed}`;
      throw new Problem(403, "forbidden", why);
    }
    // A browser adds Basic credentials by itself, even to requests of a foreign page.
    if (/^basic /i.test(request.headers.authorization ?? "")) refuseForgery(request);
    request.person = { by, role: key.role, via };
    request.keyId = key.id;
  });
}

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks. Set by the guard before anything else looks at the request. */
    person: Person;
    /** The API key that was used; absent where none is needed. */
    keyId?: string;
  }
}

function refuseForeign(request: FastifyRequest, isOwn: (host: string) => boolean): void {
  const host = hostOf(`http://${request.headers.host ?? ""}`);
  if (host === null || !isOwn(host)) {
    throw new Problem(
      403,
      "foreign-host",
      `without API keys only requests to this machine are accepted, not to ${request.headers.host}: name the host in API_HOSTS, or make a key`,
    );
  }
  const { origin } = request.headers;
  if (origin === undefined) return;
  const from = hostOf(origin);
  if (from === null || !isOwn(from)) {
    throw new Problem(
      403,
      "foreign-origin",
      `without API keys requests of pages of ${origin} are refused: make a key`,
    );
  }
}

/**
 * Refuses changes that a page of another origin asks for (cross-site request forgery): another port of this machine is
 * another origin. Browsers send Origin with every such request, with a body or without; programs send none.
 */
function refuseForgery({ method, headers }: FastifyRequest): void {
  if (isSafe(method)) return;
  const { origin } = headers;
  const site = headers["sec-fetch-site"];
  const own =
    site === undefined
      ? origin === undefined || (URL.canParse(origin) && new URL(origin).host === headers.host)
      : site === "same-origin" || site === "none";
  if (!own)
    throw new Problem(
      403,
      "foreign-origin",
      `changes by pages of ${origin ?? "another site"} are refused: use a key as Bearer`,
    );
}

function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null;
}

/** The key that a request was sent with; "" without one. */
function keyTextOf({ headers }: FastifyRequest): string {
  const [scheme = "", value = ""] = (headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return "";
  const [, password = ""] = /^[^:]*:(.*)$/s.exec(Buffer.from(value, "base64").toString()) ?? [];
  return password;
}

/** Says that a key has ended only to a request with its secret. */
function explainRefusal(checked: KeyCheck): string {
  if (checked.kind === "unknown") return "an API key is needed: Authorization: Bearer ask_…";
  const at = new Date(checked.endedAt ?? 0).toISOString();
  const what =
    checked.kind === "expired" ? `expired at ${at}` : `was replaced, and the overlap ended at ${at}`;
  return `the key of ${actorOf(checked.key)} ${what}: ask an admin for a new one (swarm keys rotate)`;
}
