import { problemSchema, VIA_HEADER, type Route, type Via } from "@agentswarm/contracts";
import { ApiError, Unreachable } from "./api-error.ts";
import { retryDelayMs } from "./retry-delay.ts";

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** An API key; sent as Bearer. */
  readonly key?: string | undefined;
  /** By which way a person asks; shown with what the person does. */
  readonly via?: Extract<Via, "cli" | "console" | "mcp">;
  /** Retries of one repeatable request after 429, 503 or a failed connection; default 4. */
  readonly maxRetries?: number;
  /** For one call with all its retries; default 30,000. The api itself answers within seconds. */
  readonly deadlineMs?: number;
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Instead of the client's. */
  readonly deadlineMs?: number;
}

/** The parts of a request as they are sent; the types of each route are in contracts. */
export interface RequestParts {
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
}

const DEADLINE_MS = 30_000;
const MAX_RETRIES = 4;

/**
 * Sends a request of a route and gives back the body of its successful answer, with retries where the route is
 * repeatable. Throws ApiError for a problem, Unreachable without an answer, and the signal's reason when aborted.
 */
export async function sendRequest(
  options: ClientOptions,
  route: Route,
  parts: RequestParts,
  asked: AskOptions = {},
): Promise<string> {
  const deadlineMs = asked.deadlineMs ?? options.deadlineMs ?? DEADLINE_MS;
  const endsAt = performance.now() + deadlineMs;
  const signal = joinSignals(asked.signal, AbortSignal.timeout(deadlineMs));
  const maxRetries = route.repeatable ? (options.maxRetries ?? MAX_RETRIES) : 0;
  for (let retries = 0; ; retries += 1) {
    try {
      const response = await sendOnce(options, route, parts, signal);
      return await response.text().catch((error: unknown) => {
        throw new Unreachable("no-answer", `the api at ${options.url} broke off its answer`, error);
      });
    } catch (error) {
      asked.signal?.throwIfAborted();
      const facts = { retries, maxRetries, leftMs: endsAt - performance.now(), random: Math.random() };
      const delayMs = retryDelayMs(error, facts);
      if (delayMs === null) throw error;
      await pause(delayMs, asked.signal);
      asked.signal?.throwIfAborted();
    }
  }
}

/** One try. The signal ends the reading of the answer's body too. */
export async function sendOnce(
  { url, key, via }: ClientOptions,
  { method, path }: Route,
  { params, query, headers, body }: RequestParts,
  signal: AbortSignal,
): Promise<Response> {
  const address = `${url}${fillPath(path, params ?? {})}${queryText(query ?? {})}`;
  if (!URL.canParse(address)) throw new Unreachable("not-the-api", `${url} is not an address of an api`);
  const response = await fetch(address, {
    method,
    headers: {
      ...(body === undefined || body === null ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(via === undefined ? {} : { [VIA_HEADER]: via }),
      ...definedTexts(headers ?? {}),
    },
    ...(body === undefined || body === null ? {} : { body: JSON.stringify(body) }),
    signal,
  }).catch((error: unknown) => {
    throw new Unreachable("no-answer", `no api answers at ${url}`, error);
  });
  if (response.ok) return response;
  throw await readProblem(response, `${method} ${path} was answered ${response.status} by ${url}`);
}

async function readProblem(response: Response, fallback: string): Promise<ApiError> {
  const { status } = response;
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  const parsed = problemSchema.safeParse(await response.json().catch(() => null));
  if (parsed.success) return new ApiError({ ...parsed.data, status }, retryAfterMs);
  const title = response.statusText || "not a problem+json";
  return new ApiError({ type: "about:blank", title, status, detail: fallback }, retryAfterMs);
}

function fillPath(path: string, params: Readonly<Record<string, unknown>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

function queryText(query: Readonly<Record<string, unknown>>): string {
  const text = new URLSearchParams(definedTexts(query)).toString();
  return text === "" ? "" : `?${text}`;
}

function definedTexts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const defined = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(defined.map(([name, value]) => [name, String(value)]));
}

export function joinSignals(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end);
  });
}
