import * as http from "node:http";
import * as https from "node:https";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { z } from "zod";
import { readNpmConfig, type NpmConfig } from "./npm-config.ts";
import { openRegistryAgents, type RegistryAgents } from "./registry-agents.ts";

/** What a registry says about a package, for the person who approves it. */
export interface PackageFacts {
  /** The day of its first version, such as "2026-11-21"; null when the registry does not say. */
  readonly since: string | null;
  /** The newest version, and its day. */
  readonly newest: { readonly version: string; readonly on: string | null } | null;
  readonly maintainers: number | null;
}

/** Asks the configured registries about packages. */
export interface PackageFactsReader extends Disposable {
  /**
   * The facts by name; `missing`: the registry has no such package; `unknown`: it did not say within the limits. Never
   * throws, and takes no longer than its time limit.
   */
  of(names: readonly string[]): Promise<ReadonlyMap<string, PackageFacts | "missing" | "unknown">>;
}

type Found = PackageFacts | "missing" | "unknown";

const FACTS_LIMITS = {
  /** For all packages of one call. */
  timeoutMs: 4_000,
  /** Packages of one call. */
  packages: 10,
  /** Of one answer, which lists every version of a package. */
  bytes: 32 * 2 ** 20,
  cached: 1_000,
  freshMs: 3_600_000,
  /** So long nothing is asked after a registry did not answer, so that it holds up no other landing. */
  pauseMs: 60_000,
} as const;

const dayOf = z.iso.datetime().transform((time) => time.slice(0, 10));
const packumentSchema = z.object({
  "dist-tags": z
    .object({
      latest: z
        .string()
        .regex(/^[\w.+-]{1,100}$/)
        .optional()
        .catch(undefined),
    })
    .catch({}),
  time: z.record(z.string(), z.unknown()).catch({}),
  maintainers: z.array(z.unknown()).nullable().catch(null).default(null),
});

export function openPackageFacts(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config?: NpmConfig;
  readonly limits?: Partial<Record<keyof typeof FACTS_LIMITS, number>>;
  readonly now?: () => number;
}): PackageFactsReader {
  const { env, now = Date.now } = options;
  const limits = { ...FACTS_LIMITS, ...options.limits };
  let registries: { readonly config: NpmConfig; readonly agents: RegistryAgents } | null = null;
  const open = () => {
    const config = options.config ?? readNpmConfig(env);
    return { config, agents: openRegistryAgents(config, env) };
  };
  const known = new Map<string, { readonly at: number; readonly found: Found }>();
  let pausedUntil = 0;

  const remember = (name: string, found: Found) => {
    known.delete(name);
    known.set(name, { at: now(), found });
    const [oldest] = known.keys();
    if (known.size > limits.cached && oldest !== undefined) known.delete(oldest);
  };

  const read = async (name: string, signal: AbortSignal): Promise<Found> => {
    const cached = known.get(name);
    if (cached !== undefined && now() - cached.at < limits.freshMs) return cached.found;
    if (now() < pausedUntil) return "unknown";
    try {
      const found = await ask(name, signal);
      remember(name, found);
      return found;
    } catch {
      pausedUntil = now() + limits.pauseMs;
      return "unknown";
    }
  };

  const ask = async (name: string, signal: AbortSignal): Promise<Found> => {
    // Not before it is needed: a configuration that cannot be read must not keep the service from its start.
    registries ??= open();
    const { config, agents } = registries;
    const scope = name.startsWith("@") ? name.slice(0, name.indexOf("/")) : null;
    const registry = config.registries.find((one) => one.scope === scope) ?? config.registries[0];
    if (registry === undefined) return "unknown";
    const url = new URL(name.replace("/", "%2f"), registry.url);
    const answer = await request(url, { agent: agents.of(registry), signal }, config.authorization(url));
    const { statusCode = 0 } = answer;
    if (statusCode !== 200) {
      answer.destroy();
      if (statusCode === 404) return "missing";
      throw new Error(`the registry answered ${statusCode}`);
    }
    const body = answer.headers["content-encoding"] === "gzip" ? answer.pipe(createGunzip()) : answer;
    answer.on("error", (error) => body.destroy(error));
    const text = await readAtMost(body, limits.bytes);
    return text === null ? "unknown" : factsOf(text);
  };

  const request = (url: URL, by: http.RequestOptions, authorization: string | null) => {
    const headers = {
      accept: "application/json",
      "accept-encoding": "gzip",
      "user-agent": "agentswarm",
      ...(authorization === null ? {} : { authorization }),
    };
    const { get } = url.protocol === "https:" ? https : http;
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    get(url, { ...by, headers }, resolve).on("error", reject);
    return promise;
  };

  return {
    async of(names) {
      const signal = AbortSignal.timeout(limits.timeoutMs);
      const asked = [...new Set(names)].slice(0, limits.packages);
      return new Map(await Promise.all(asked.map(async (name) => [name, await read(name, signal)] as const)));
    },
    [Symbol.dispose]: () => registries?.agents.close(),
  };
}

async function readAtMost(body: Readable, maxBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The facts in a registry's list of a package's versions. What is not as expected is left out. */
function factsOf(packument: string): PackageFacts {
  const { "dist-tags": tags, time, maintainers } = packumentSchema.parse(JSON.parse(packument));
  const day = (name: string) => dayOf.safeParse(time[name]).data ?? null;
  const { latest } = tags;
  return {
    since: day("created"),
    newest: latest === undefined ? null : { version: latest, on: day(latest) },
    maintainers: maintainers?.length ?? null,
  };
}
