import { createParser, type EventSourceMessage } from "eventsource-parser";
import type { DomainEvent, FeatureInput, FeatureStatus } from "@agentswarm/contracts";

export interface FeatureSummary {
  readonly id: string;
  readonly title: string;
  readonly status: FeatureStatus;
  readonly reason: string | null;
  readonly counts: { total: number; landed: number; running: number; failed: number; held: number };
  readonly costUsd: number;
}

export interface TaskSummary {
  readonly id: string;
  readonly key: string;
  readonly kind: string;
  readonly title: string;
  readonly status: string;
  readonly reason: string | null;
  readonly round: number;
  readonly attempts: number;
  readonly commit: string | null;
}

export interface FeatureDetail extends FeatureSummary {
  readonly tasks: readonly TaskSummary[];
}

export interface SwarmStatus {
  readonly features: Record<string, number>;
  readonly queues: Record<string, Record<string, number>>;
  readonly services: Record<string, number>;
  readonly agents: { live: number };
  readonly landings: { total: number; lastHour: number };
  readonly trunk: string | null;
  readonly green: string | null;
  readonly cost: { usd: number; tokens: number };
}

/** The api's answer was a problem. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The api could not be reached at all. */
export class Unreachable extends Error {}

/** Whether the same question may well be answered a little later: the api starts again, or Redis is away. */
export function passes(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof ApiError && [429, 503].includes(error.status));
}

/** The api itself answers within seconds, whatever is behind it. */
const DEADLINE_MS = 30_000;
const PAGE = 200;

/** The REST API, typed. */
export class ApiClient {
  readonly url: string;
  readonly #key: string | undefined;

  constructor(url: string, key?: string) {
    this.url = url.replace(/\/$/, "");
    this.#key = key;
  }

  submit(
    feature: Partial<FeatureInput> & { title: string },
    idempotencyKey?: string,
  ): Promise<{ id: string; status: string }> {
    return this.#json(
      "POST",
      "/v1/features",
      feature,
      idempotencyKey ? { "idempotency-key": idempotencyKey } : {},
    );
  }
  /** All of them, newest first. */
  async features(): Promise<FeatureSummary[]> {
    const all: FeatureSummary[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const after: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: { features: FeatureSummary[]; cursor: string | null } = await this.#json(
        "GET",
        `/v1/features?limit=${PAGE}${after}`,
      );
      all.push(...page.features);
      ({ cursor } = page);
    }
    return all;
  }
  feature(id: string): Promise<FeatureDetail> {
    return this.#json("GET", `/v1/features/${encodeURIComponent(id)}`);
  }
  cancel(id: string): Promise<unknown> {
    return this.#json("POST", `/v1/features/${encodeURIComponent(id)}/cancel`);
  }
  task(id: string): Promise<Record<string, unknown>> {
    return this.#json("GET", `/v1/tasks/${encodeURIComponent(id)}`);
  }
  async transcript(id: string, attempt?: number): Promise<string> {
    const query = attempt === undefined ? "" : `?attempt=${attempt}`;
    return (await this.#ask("GET", `/v1/tasks/${encodeURIComponent(id)}/transcript${query}`)).text();
  }
  retry(id: string): Promise<unknown> {
    return this.#json("POST", `/v1/tasks/${encodeURIComponent(id)}/retry`);
  }
  decide(id: string, decision: "approve" | "refuse", reason?: string): Promise<unknown> {
    return this.#json("POST", `/v1/tasks/${encodeURIComponent(id)}/${decision}`, { reason });
  }
  status(): Promise<SwarmStatus> {
    return this.#json("GET", "/v1/status");
  }

  /** Events as they come, after an id (or from now). Ends when aborted; comes back by itself when cut off. */
  async *events(
    after: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<{ id: string; event: DomainEvent }> {
    let last = after;
    while (!signal.aborted) {
      const ready: EventSourceMessage[] = [];
      const parser = createParser({ onEvent: (message) => ready.push(message) });
      try {
        const response = await this.#ask(
          "GET",
          `/v1/events${last === undefined ? "" : `?after=${last}`}`,
          undefined,
          {},
          signal,
        );
        for await (const chunk of response.body?.pipeThrough(new TextDecoderStream() as never) ?? []) {
          parser.feed(chunk as unknown as string);
          for (const { id = "0", data } of ready.splice(0)) {
            last = id;
            yield { id, event: JSON.parse(data) as DomainEvent };
          }
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!passes(error) && error instanceof ApiError) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  async #json<T>(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const text = await (await this.#ask(method, path, body, headers)).text();
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new Unreachable(`what answers at ${this.url} is not the api; correct SWARM_URL`);
    }
  }

  async #ask(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ?? AbortSignal.timeout(DEADLINE_MS),
    }).catch((error: unknown) => {
      if (signal?.aborted) throw error;
      throw new Unreachable(
        `no api answers at ${this.url}; start the swarm with \`npm start\`, or set SWARM_URL`,
      );
    });
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { detail?: string };
    const detail = problem.detail ?? `${method} ${path} was answered ${response.status} by ${this.url}`;
    throw new ApiError(
      response.status,
      response.status === 401
        ? `${detail}; ${this.#key === undefined ? "set" : "correct"} SWARM_API_KEY`
        : detail,
    );
  }
}
