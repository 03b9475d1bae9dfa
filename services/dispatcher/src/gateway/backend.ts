import { setTimeout as sleep } from "node:timers/promises";
import type { ModelEndpoint } from "@agentswarm/llm";
import { guardCompletion, guardStream } from "./guard-tool-calls.ts";
import { mayPass, TRIES, waitMs } from "./retry.ts";
import { readEvents } from "./sse.ts";
import { startWatchdog } from "./watchdog.ts";

/** What a backend said to one call. */
export type Answer =
  | { kind: "whole"; completion: object }
  /** Its first event has come; what goes wrong from here on cannot be tried again. */
  | { kind: "stream"; events: AsyncGenerator<object> }
  | {
      kind: "refused";
      status: number;
      message: string;
      retryAfter: string | null;
      /** It is the backend's trouble, not the request's. */
      unavailable: boolean;
    };

/** One model endpoint. The gateway knows no more of it than this, so that several can stand behind it. */
export interface Backend {
  readonly model: string;
  ask(body: object, streamed: boolean, signal: AbortSignal): Promise<Answer>;
}

export interface Patience {
  /** Longest wait for the first event; a cold start takes minutes. */
  readonly firstMs: number;
  /** Longest silence within a stream. */
  readonly betweenMs: number;
}

const PATIENCE: Patience = { firstMs: 290_000, betweenMs: 120_000 };
const SHOWN_CHARS = 4_000;

/** Opens an OpenAI-compatible endpoint. Calls that fail before their first event are tried again here, nowhere else. */
export function openBackend(endpoint: ModelEndpoint, patience: Patience = PATIENCE): Backend {
  // One limiter for all agents: when the backend asks for a pause, nobody knocks before it is over.
  let notBefore = 0;
  return {
    model: endpoint.model,
    async ask(body, streamed, signal) {
      const text = JSON.stringify(body);
      for (let tries = 1; ; tries += 1) {
        const pause = notBefore - Date.now();
        if (pause > 0) await sleep(pause, undefined, { signal });
        const answer = await askOnce(endpoint, text, streamed, signal, patience).catch(
          (error: unknown): Answer => {
            signal.throwIfAborted();
            return refused(502, `the model could not be reached: ${describe(error)}`, null, true);
          },
        );
        if (answer.kind !== "refused" || !answer.unavailable || tries === TRIES) return answer;
        const wait = waitMs(tries, answer.retryAfter);
        if (answer.retryAfter !== null) notBefore = Math.max(notBefore, Date.now() + wait);
        await sleep(wait, undefined, { signal });
      }
    },
  };
}

async function askOnce(
  endpoint: ModelEndpoint,
  body: string,
  streamed: boolean,
  signal: AbortSignal,
  patience: Patience,
): Promise<Answer> {
  const watchdog = startWatchdog("the model", patience.firstMs);
  let handedOn = false;
  try {
    const response = await fetch(`${endpoint.baseUrl}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${endpoint.apiKey}` },
      body,
      redirect: "error",
      signal: AbortSignal.any([signal, watchdog.signal]),
    });
    if (!response.ok || response.body === null) {
      const message = (await response.text()).slice(0, SHOWN_CHARS);
      return refused(
        response.status,
        message,
        response.headers.get("retry-after"),
        mayPass(response.status, message),
      );
    }
    if (!streamed) return { kind: "whole", completion: guardCompletion((await response.json()) as object) };

    const events = guardStream(readEvents(response.body, () => watchdog.within(patience.betweenMs)));
    const first = await events.next();
    if (first.done) throw new Error("the stream was empty");
    handedOn = true;
    return { kind: "stream", events: resume(first.value, events, () => watchdog.stop()) };
  } finally {
    if (!handedOn) watchdog.stop();
  }
}

async function* resume(
  first: object,
  rest: AsyncGenerator<object>,
  onEnd: () => void,
): AsyncGenerator<object> {
  try {
    yield first;
    yield* rest;
  } finally {
    onEnd();
  }
}

function refused(status: number, message: string, retryAfter: string | null, unavailable: boolean): Answer {
  return { kind: "refused", status, message, retryAfter, unavailable };
}

/** `fetch` hides what went wrong in the cause. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
