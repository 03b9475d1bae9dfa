import type { Backend } from "../backends/backend.ts";
import { askWhole, RefusedByServer } from "./ask-whole.ts";
import { judgeRefusal, type Refusal } from "./judge-refusal.ts";
import { post, readText } from "./post.ts";
import { readEvents } from "./sse.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/** What a backend says to one call. */
export type Said =
  | { kind: "whole"; completion: object }
  /** Its first event has come; what goes wrong from here on throws, and cannot be tried again. */
  | { kind: "stream"; events: AsyncGenerator<object> }
  | Refused;

export interface Refused {
  readonly kind: "refused";
  readonly refusal: Refusal;
  /** 502 where there was no answer at all. */
  readonly status: number;
  readonly message: string;
  /** The header as it came. */
  readonly retryAfter: string | null;
}

/** How long is waited for a backend, in milliseconds. */
export interface Patience {
  readonly connectMs: number;
  /** For a stream's first event; a cold start takes minutes. */
  readonly firstMs: number;
  /** For the next piece of a stream. */
  readonly betweenMs: number;
  /** For an answer that comes in one piece. */
  readonly wholeMs: number;
  /** The longest pause between two tries at an endpoint that is cold. */
  readonly coldMs: number;
}

const SHOWN_CHARS = 4_000;

/** Asks a backend, once. Throws only when `signal` is aborted. */
export async function askOnce(
  backend: Backend,
  body: object,
  options: { streamed: boolean; patience: Patience; signal: AbortSignal },
): Promise<Said> {
  const { streamed, patience, signal } = options;
  const watchdog = startWatchdog("the model", streamed ? patience.firstMs : patience.wholeMs);
  const asked = { ...body, model: backend.model };
  const { connectMs } = patience;
  const either = AbortSignal.any([signal, watchdog.signal]);
  let handedOn = false;
  try {
    if (!streamed) {
      const completion = await askWhole(backend, asked, {
        connectMs,
        withinMs: patience.wholeMs,
        signal: either,
      });
      return { kind: "whole", completion: unlessError(completion) };
    }
    const response = await post(`${backend.baseUrl}/chat/completions`, {
      apiKey: backend.apiKey,
      body: JSON.stringify(asked),
      connectMs,
      signal: either,
    });
    const status = response.statusCode ?? 502;
    if (status < 200 || status > 299) {
      throw new RefusedByServer(status, await readText(response), response.headers["retry-after"] ?? null);
    }
    const events = readEvents(response, () => watchdog.within(patience.betweenMs));
    const first = await events.next();
    if (first.done) throw new Error("the stream was empty");
    unlessError(first.value);
    handedOn = true;
    return { kind: "stream", events: resume(first.value, events, watchdog) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RefusedByServer) {
      const { status, retryAfter } = error;
      const message = error.message.slice(0, SHOWN_CHARS);
      return { kind: "refused", refusal: judgeRefusal(status, message), status, message, retryAfter };
    }
    const why = watchdog.signal.aborted ? watchdog.signal.reason : error;
    const message = `the model could not be reached: ${why instanceof Error ? why.message : String(why)}`;
    return { kind: "refused", refusal: "outage", status: 502, message, retryAfter: null };
  } finally {
    if (!handedOn) watchdog.stop();
  }
}

/** Some servers tell of an engine that has died in the body of a 200. */
function unlessError(said: unknown): object {
  if (typeof said !== "object" || said === null || Array.isArray(said))
    throw new Error("the answer is no JSON object");
  if ("error" in said && !("choices" in said))
    throw new Error(JSON.stringify(said.error).slice(0, SHOWN_CHARS));
  return said;
}

async function* resume(
  first: object,
  rest: AsyncGenerator<object>,
  watchdog: Watchdog,
): AsyncGenerator<object> {
  try {
    yield first;
    yield* rest;
  } catch (error) {
    watchdog.signal.throwIfAborted();
    throw error;
  } finally {
    watchdog.stop();
  }
}
