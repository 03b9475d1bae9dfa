import type { Backend } from "../backends/backend.ts";
import { askOnce, type Patience, type Said } from "../wire/ask-once.ts";
import { isWell } from "../wire/is-well.ts";
import { createAdaptiveLimit, type Load } from "./adaptive-limit.ts";
import { createBreaker, type BreakerOptions } from "./breaker.ts";
import type { Standing } from "./choose-backend.ts";

/** One backend with what is known of how it does. */
export interface Lane {
  readonly backend: Backend;
  standing(): Standing;
  /** Takes a place, which is held until the answer to the one question is over. */
  take(): Place;
  /** Nobody is to knock before then (milliseconds since 1970). */
  pause(until: number): void;
  /** Looks whether it is well again, where that is due. */
  probe(): void;
}

export interface Place {
  readonly lane: Lane;
  /** Asks the backend, once, and learns from how that goes. Must be called. */
  ask(body: object, options: { streamed: boolean; signal: AbortSignal }): Promise<Said>;
}

export interface LaneOptions {
  readonly patience: Patience;
  readonly breaker: BreakerOptions;
  /** There is no other: what is wrong with its key must be told to those who ask, at once and each time. */
  readonly alone: boolean;
  readonly onChange: (backend: Backend, state: "opened" | "closed", why: string) => void;
  /** Called when it may have become free. */
  readonly onFree: () => void;
}

export function openLane(backend: Backend, options: LaneOptions): Lane {
  const limit = createAdaptiveLimit(backend.concurrency);
  let notBefore = 0;
  let trouble = "";
  const breaker = createBreaker(options.breaker, (state) => options.onChange(backend, state, trouble));

  const health = (): Standing["health"] => {
    if (breaker.closed()) return { kind: "well" };
    return breaker.probing() ? { kind: "probing" } : { kind: "down", probeAt: breaker.probeAt() };
  };

  /** Passes a stream on; it may break off, and it may never be read at all, which `signal` tells. */
  async function* follow(
    events: AsyncGenerator<object>,
    end: (load: Load) => void,
    signal: AbortSignal,
  ): AsyncGenerator<object> {
    try {
      yield* events;
      end("well");
      await breaker.report(true);
    } catch (error) {
      if (!signal.aborted) {
        trouble = error instanceof Error ? error.message : String(error);
        await breaker.report(false);
      }
      throw error;
    } finally {
      end("unknown");
    }
  }

  async function ask(
    giveBack: (load: Load) => void,
    body: object,
    { streamed, signal }: { streamed: boolean; signal: AbortSignal },
  ): Promise<Said> {
    let over = false;
    const end = (load: Load) => {
      if (over) return;
      over = true;
      signal.removeEventListener("abort", onAbort);
      giveBack(load);
      options.onFree();
    };
    const onAbort = () => end("unknown");
    signal.addEventListener("abort", onAbort);
    try {
      const said = await askOnce(backend, body, { streamed, patience: options.patience, signal });
      if (said.kind === "refused") {
        const { refusal } = said;
        const down = refusal === "outage" || said.status === 503 || (refusal === "foreign" && !options.alone);
        if (down) trouble = `${said.status}: ${said.message.slice(0, 500)}`;
        if (down || refusal === "overflow" || refusal === "request") await breaker.report(!down);
        end(refusal === "overload" ? "overload" : "unknown");
        return said;
      }
      // A stream is judged at its end.
      if (said.kind === "stream") return { ...said, events: follow(said.events, end, signal) };
      end("well");
      await breaker.report(true);
      return said;
    } catch (error) {
      end("unknown");
      throw error;
    }
  }

  const lane: Lane = {
    backend,
    standing: () => ({
      backend,
      free: limit.free(),
      load: limit.load(),
      notBefore,
      health: health(),
    }),
    take() {
      const giveBack = limit.take();
      return { lane, ask: (body, asking) => ask(giveBack, body, asking) };
    },
    pause(until) {
      notBefore = Math.max(notBefore, until);
    },
    probe() {
      const now = health();
      if (now.kind !== "down" || Date.now() < now.probeAt) return;
      void breaker.probe(() => isWell(backend, options.patience.connectMs)).then(options.onFree);
    },
  };
  return lane;
}
