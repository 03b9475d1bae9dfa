import {
  REST,
  type FeatureSummary,
  type RequestOf,
  type ResponseOf,
  type Route,
  type RouteName,
} from "@agentswarm/contracts";
import { Unreachable } from "./api-error.ts";
import { followEvents, type FollowOptions, type StreamedEvent } from "./follow-events.ts";
import { sendRequest, type AskOptions, type ClientOptions, type RequestParts } from "./send-request.ts";

type Asked = Exclude<RouteName, "followEvents">;
type Ask<R extends Route> =
  object extends RequestOf<R>
    ? (request?: RequestOf<R>, options?: AskOptions) => Promise<ResponseOf<R>>
    : (request: RequestOf<R>, options?: AskOptions) => Promise<ResponseOf<R>>;

/**
 * The REST API, one function per route of the table. Each throws ApiError for a problem, and Unreachable when no api
 * answers or when the answer does not fit the route's schema.
 */
export type SwarmClient = { readonly [N in Asked]: Ask<(typeof REST)[N]> } & {
  readonly url: string;
  /** All features, newest first, page by page. */
  allFeatures(options?: AskOptions): Promise<FeatureSummary[]>;
  /** Events as they come; see `followEvents`. */
  events(options?: FollowOptions): AsyncGenerator<StreamedEvent>;
};

const PAGE = 200;

export function openClient(given: ClientOptions): SwarmClient {
  const options = { ...given, url: given.url.replace(/\/+$/, "") };
  const ask = (name: Asked) => async (request?: RequestParts, asked?: AskOptions) => {
    const route: Route = REST[name];
    const text = await sendRequest(options, route, complete(route, request ?? {}), asked);
    return readAnswer(options.url, route, text);
  };
  const names = (Object.keys(REST) as RouteName[]).filter((name): name is Asked => name !== "followEvents");
  const routes = Object.fromEntries(names.map((name) => [name, ask(name)])) as unknown as Pick<
    SwarmClient,
    Asked
  >;
  return {
    ...routes,
    url: options.url,
    async allFeatures(asked) {
      const all: FeatureSummary[] = [];
      let cursor: string | null | undefined;
      do {
        const page = await routes.listFeatures(
          { query: { limit: PAGE, cursor: cursor ?? undefined } },
          asked,
        );
        all.push(...page.features);
        ({ cursor } = page);
      } while (cursor !== null);
      return all;
    },
    events: (following) => followEvents(options, following),
  };
}

/** Submissions and answers get an Idempotency-Key, so that their retries make one feature, or give one answer. */
function complete({ headers }: Route, request: RequestParts): RequestParts {
  const takesKey = headers !== undefined && "idempotency-key" in headers.shape;
  if (!takesKey || request.headers?.["idempotency-key"] !== undefined) return request;
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  const key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { ...request, headers: { ...request.headers, "idempotency-key": key } };
}

function readAnswer(url: string, route: Route, text: string): unknown {
  if (route.type !== "application/json") return text;
  const parsed = route.response.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Unreachable(
    "not-the-api",
    `what answers at ${url} is not the api`,
    new Error(`${route.method} ${route.path}: ${parsed.error.message}`),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
