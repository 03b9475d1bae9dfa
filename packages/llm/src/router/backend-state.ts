import type { Backend } from "../backends/backend.ts";
import { askOnce, type BackendReply, type RefusedReply, type Timeouts } from "../wire/ask-once.ts";
import { askForOneToken } from "../try-backend.ts";
import { describeRefusal } from "../wire/describe-refusal.ts";
import { isOperatorCause } from "../wire/judge-refusal.ts";
import type { KeyMask } from "../wire/mask-keys.ts";
import { isHealthy } from "../wire/is-healthy.ts";
import { createAdaptiveLimit, type CallOutcome } from "./adaptive-limit.ts";
import { createBreaker, type BreakerOptions } from "./breaker.ts";
import type { BackendSnapshot } from "./choose-backend.ts";
import { openStandingRefusal } from "./standing-refusal.ts";

/** One backend with its concurrency limit, its breaker and its pause. */
export interface BackendState {
  readonly backend: Backend;
  snapshot(): BackendSnapshot;
  /** Takes a permit for one call. It is held until the answer is complete. */
  takePermit(): Permit;
  /** Stops calls to this backend until then (milliseconds since 1970). */
  pause(until: number): void;
  /**
   * Probes a backend whose breaker is open or that refuses all calls, when the probe is due. Resolves at the end of the
   * probe of a refusal with true; else false.
   */
  probe(): Promise<boolean>;
  /** The refusal that stands until a person corrects a setting, and when its next probe is due; else null. */
  refusal(): { readonly reply: RefusedReply; readonly probeAt: number } | null;
  /** The last failure that opened the breaker. */
  lastFailure(): string;
}

/** The right to make one call to a backend. */
export interface Permit {
  readonly state: BackendState;
  /** Calls the backend once and updates its limit and breaker. Must be called: it releases the permit. */
  ask(body: object, options: { streamed: boolean; signal: AbortSignal }): Promise<BackendReply>;
}

export interface BackendStateOptions {
  readonly timeouts: Timeouts;
  readonly breaker: BreakerOptions;
  /** Milliseconds from a refusal that a person must end to its first probe. */
  readonly refusedProbeMs: number;
  /** Masks the keys of all backends in what this one says. */
  readonly mask: KeyMask;
  readonly onChange: (backend: Backend, state: "opened" | "closed", why: string) => void;
  /** Called when a permit may be free. */
  readonly onFree: () => void;
}

export function openBackendState(backend: Backend, options: BackendStateOptions): BackendState {
  const limit = createAdaptiveLimit(backend.concurrency);
  let notBefore = 0;
  let lastFailure = "";
  const breaker = createBreaker(options.breaker, (state) => options.onChange(backend, state, lastFailure));

  const refusal = openStandingRefusal(options.refusedProbeMs, (reply) => {
    if (reply !== null) lastFailure = describeRefusal(reply, backend);
    options.onChange(backend, reply === null ? "closed" : "opened", lastFailure);
  });

  const health = (): BackendSnapshot["health"] => {
    if (refusal.now() !== null) return { kind: "refusing" };
    if (breaker.closed()) return { kind: "healthy" };
    return breaker.probing() ? { kind: "probing" } : { kind: "down", probeAt: breaker.probeAt() };
  };

  /**
   * Passes the events of a stream on and reports its end to the limit and the breaker. A reader may stop early; a
   * stream that is never read ends by `signal`.
   */
  async function* follow(
    events: AsyncGenerator<object>,
    end: (outcome: CallOutcome) => void,
    signal: AbortSignal,
  ): AsyncGenerator<object> {
    try {
      yield* events;
      end("ok");
      await breaker.report(true);
    } catch (error) {
      if (!signal.aborted) {
        lastFailure = error instanceof Error ? error.message : String(error);
        await breaker.report(false);
      }
      throw error;
    } finally {
      end("unknown");
    }
  }

  async function ask(
    release: (outcome: CallOutcome) => void,
    body: object,
    { streamed, signal }: { streamed: boolean; signal: AbortSignal },
  ): Promise<BackendReply> {
    let ended = false;
    const end = (outcome: CallOutcome) => {
      if (ended) return;
      ended = true;
      signal.removeEventListener("abort", onAbort);
      release(outcome);
      options.onFree();
    };
    const onAbort = () => end("unknown");
    signal.addEventListener("abort", onAbort);
    try {
      const reply = await askOnce(backend, body, {
        streamed,
        timeouts: options.timeouts,
        signal,
        mask: options.mask,
      });
      if (reply.kind === "refused") {
        const { cause } = reply;
        if (isOperatorCause(cause)) refusal.begin(reply);
        const down = cause === "outage" || reply.status === 503;
        if (down) lastFailure = `${reply.status}: ${reply.message.slice(0, 500)}`;
        if (down || cause === "overflow" || cause === "request") await breaker.report(!down);
        end(cause === "overload" ? "overload" : "unknown");
        return reply;
      }
      // The outcome of a stream is known at its end.
      if (reply.kind === "stream") return { ...reply, events: follow(reply.events, end, signal) };
      end("ok");
      await breaker.report(true);
      return reply;
    } catch (error) {
      end("unknown");
      throw error;
    }
  }

  const state: BackendState = {
    backend,
    snapshot: () => ({
      backend,
      free: limit.free(),
      load: limit.load(),
      notBefore,
      health: health(),
    }),
    takePermit() {
      const release = limit.take();
      return { state, ask: (body, asking) => ask(release, body, asking) };
    },
    pause(until) {
      notBefore = Math.max(notBefore, until);
    },
    async probe() {
      const now = health();
      if (now.kind === "refusing") {
        const wasDue = await refusal.probe(async () => {
          const reply = await askForOneToken(backend, options);
          return reply.kind === "refused" && isOperatorCause(reply.cause) ? reply : null;
        });
        if (wasDue) options.onFree();
        return wasDue;
      }
      if (now.kind === "down" && performance.now() >= now.probeAt)
        void breaker.probe(() => isHealthy(backend, options.timeouts.connectMs)).then(options.onFree);
      return false;
    },
    refusal: () => refusal.now(),
    lastFailure: () => lastFailure,
  };
  return state;
}
