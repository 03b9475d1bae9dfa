import type { Backend } from "../backends/backend.ts";
import { askWhole, RefusedByServer } from "./ask-whole.ts";
import { MAX_ERROR_CHARS, type KeyMask } from "./mask-keys.ts";
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
  /** The backend gave no answer; `message` says why. */
  readonly unreached?: true;
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

/** Calls a backend once. Throws only when `signal` is aborted. */
export async function askOnce(
  backend: Backend,
  body: object,
  options: { streamed: boolean; timeouts: Timeouts; signal: AbortSignal; mask: KeyMask },
): Promise<BackendReply> {
  const { streamed, timeouts, signal, mask } = options;
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
      return { kind: "whole", completion: mask.event(rejectError(completion)) };
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
    return { kind: "stream", events: resume(first.value, events, watchdog, mask) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RefusedByServer) {
      const { status } = error;
      const message = mask.text(error.message).slice(0, MAX_ERROR_CHARS);
      const retryAfter = error.retryAfter === null ? null : mask.text(error.retryAfter).slice(0, 100);
      return { kind: "refused", cause: judgeRefusal(status, message), status, message, retryAfter };
    }
    const why = watchdog.signal.aborted ? watchdog.signal.reason : error;
    const said = mask.error(why).message.slice(0, MAX_ERROR_CHARS);
    const message = `the model could not be reached: ${said}`;
    return { kind: "refused", cause: "outage", status: 502, message, retryAfter: null, unreached: true };
  } finally {
    if (!passedOn) watchdog.stop();
  }
}

/** Some servers report a crashed engine in the body of a 200. */
function rejectError(body: unknown): object {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new Error("the answer is not a JSON object");
  if ("error" in body && !("choices" in body)) throw new Error(JSON.stringify(body.error));
  return body;
}

async function* resume(
  first: object,
  rest: AsyncGenerator<object>,
  watchdog: Watchdog,
  mask: KeyMask,
): AsyncGenerator<object> {
  try {
    yield mask.event(first);
    for await (const event of rest) yield mask.event(event);
  } catch (error) {
    watchdog.signal.throwIfAborted();
    throw mask.error(error);
  } finally {
    watchdog.stop();
  }
}
