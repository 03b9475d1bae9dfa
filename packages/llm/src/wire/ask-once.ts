import type { Backend } from "../backends/backend.ts";
import { askWhole, RefusedByServer } from "./ask-whole.ts";
import { judgeRefusal, type RefusalCause } from "./judge-refusal.ts";
import { post, readText } from "./post.ts";
import { readEvents } from "./read-events.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/** The reply of a backend to one call. */
export type BackendReply =
  | { kind: "whole"; completion: object }
  /** The first event has come. A later failure throws and cannot be retried. */
  | { kind: "stream"; events: AsyncGenerator<object> }
  | RefusedReply;

export interface RefusedReply {
  readonly kind: "refused";
  readonly cause: RefusalCause;
  /** 502 when there was no answer at all. */
  readonly status: number;
  readonly message: string;
  /** The Retry-After header, unparsed. */
  readonly retryAfter: string | null;
}

/** The timeouts of one call, in milliseconds. */
export interface Timeouts {
  readonly connectMs: number;
  /** For the first event of a stream; a cold start takes minutes. */
  readonly firstMs: number;
  /** For each next piece of a stream. */
  readonly betweenMs: number;
  /** For an answer in one piece. */
  readonly wholeMs: number;
  /** The longest delay between two tries at a cold endpoint. */
  readonly coldMs: number;
}

const MAX_MESSAGE_CHARS = 4_000;

/** Calls a backend once. Throws only when `signal` is aborted. */
export async function askOnce(
  backend: Backend,
  body: object,
  options: { streamed: boolean; timeouts: Timeouts; signal: AbortSignal },
): Promise<BackendReply> {
  const { streamed, timeouts, signal } = options;
  const watchdog = startWatchdog("the model", streamed ? timeouts.firstMs : timeouts.wholeMs);
  const request = { ...body, model: backend.model };
  const { connectMs } = timeouts;
  const either = AbortSignal.any([signal, watchdog.signal]);
  let passedOn = false;
  try {
    if (!streamed) {
      const completion = await askWhole(backend, request, {
        connectMs,
        timeoutMs: timeouts.wholeMs,
        signal: either,
      });
      return { kind: "whole", completion: rejectError(completion) };
    }
    const response = await post(`${backend.baseUrl}/chat/completions`, {
      apiKey: backend.apiKey,
      body: JSON.stringify(request),
      connectMs,
      signal: either,
    });
    const status = response.statusCode ?? 502;
    if (status < 200 || status > 299) {
      throw new RefusedByServer(status, await readText(response), response.headers["retry-after"] ?? null);
    }
    const events = readEvents(response, () => watchdog.within(timeouts.betweenMs));
    const first = await events.next();
    if (first.done) throw new Error("the stream was empty");
    rejectError(first.value);
    passedOn = true;
    return { kind: "stream", events: resume(first.value, events, watchdog) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RefusedByServer) {
      const { status, retryAfter } = error;
      const message = error.message.slice(0, MAX_MESSAGE_CHARS);
      return { kind: "refused", cause: judgeRefusal(status, message), status, message, retryAfter };
    }
    const why = watchdog.signal.aborted ? watchdog.signal.reason : error;
    const message = `the model could not be reached: ${why instanceof Error ? why.message : String(why)}`;
    return { kind: "refused", cause: "outage", status: 502, message, retryAfter: null };
  } finally {
    if (!passedOn) watchdog.stop();
  }
}

/** Some servers report a crashed engine in the body of a 200. */
function rejectError(body: unknown): object {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new Error("the answer is not a JSON object");
  if ("error" in body && !("choices" in body))
    throw new Error(JSON.stringify(body.error).slice(0, MAX_MESSAGE_CHARS));
  return body;
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
