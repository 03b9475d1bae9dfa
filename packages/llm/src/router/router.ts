import { setTimeout as sleep } from "node:timers/promises";
import { Fault, type Role } from "@agentswarm/contracts";
import type { Backend } from "../backends/backend.ts";
import type { Prices } from "../backends/models.ts";
import type { RefusedReply, Timeouts } from "../wire/ask-once.ts";
import { maskKeys } from "../wire/mask-keys.ts";
import { isTransient } from "../wire/judge-refusal.ts";
import { openBackendState, type BackendState, type Permit } from "./backend-state.ts";
import type { BreakerOptions } from "./breaker.ts";
import { chooseBackend, type CallNeeds } from "./choose-backend.ts";
import { MAX_TRIES, retryDelayMs } from "./retry-delay.ts";
import { openWaiters } from "./waiters.ts";

/**
 * `patient`: waits between tries and for a backend to come back, up to `firstMs`. `once`: each backend is tried at most
 * once, because the caller's own queue retries.
 */
export type RetryPolicy = "patient" | "once";

/** One call to the model, before a backend is chosen. */
export interface RouterCall {
  readonly role: Role;
  /** Makes the request body; the router adds the backend's own model name. */
  readonly body: (backend: Backend) => object;
  /** The estimated length of the prompt. */
  readonly tokens: number;
  readonly streamed: boolean;
  readonly retry: RetryPolicy;
  readonly signal: AbortSignal;
}

/** The result of a call. `backend` is the one that answered; its prices are charged. */
export type RouterAnswer =
  | { kind: "whole"; completion: object; backend: Backend }
  /** The first event has come. A later failure throws and is not retried. */
  | { kind: "stream"; events: AsyncGenerator<object>; backend: Backend }
  | (RefusedReply & {
      /** The backends failed, not the request. */
      readonly unavailable: boolean;
    });

export interface Router {
  readonly backends: readonly Backend[];
  /** The model's name towards callers: the first backend's. */
  readonly model: string;
  /** The highest prices of all backends: the bound of a call's cost before a backend is chosen. */
  readonly prices: Prices;
  /** Throws only when the call's signal is aborted. */
  ask(call: RouterCall): Promise<RouterAnswer>;
}

/** A breaker that opened or closed. `why` is the last failure. */
export interface BackendChange {
  readonly backend: string;
  readonly state: "opened" | "closed";
  readonly why: string;
}

export interface RouterOptions {
  readonly timeouts?: Partial<Timeouts>;
  readonly breaker?: Partial<BreakerOptions>;
  readonly onChange?: ((change: BackendChange) => void) | undefined;
}

const TIMEOUTS: Timeouts = {
  connectMs: 10_000,
  firstMs: 290_000,
  betweenMs: 120_000,
  wholeMs: 600_000,
  coldMs: 10_000,
};
const BREAKER: BreakerOptions = { failures: 5, probeAfterMs: 5_000 };

/**
 * Opens a router over these backends. Their limits, breakers and pauses are shared by all calls of this process.
 * Throws Fault `config.invalid` when the list is empty.
 */
export function createRouter(backends: readonly Backend[], options: RouterOptions = {}): Router {
  const [first] = backends;
  if (first === undefined) throw new Fault("config.invalid", "the router has no backend: set LLM_BACKENDS");
  const timeouts = { ...TIMEOUTS, ...options.timeouts };
  const mask = maskKeys(backends.map(({ apiKey }) => apiKey));
  const waiters = openWaiters();
  const states = new Map<string, BackendState>();
  for (const backend of backends) {
    const state = openBackendState(backend, {
      timeouts,
      mask,
      alone: backends.length === 1,
      breaker: { ...BREAKER, ...options.breaker },
      onFree: () => waiters.wakeAll(),
      onChange: ({ name }, change, why) => options.onChange?.({ backend: name, state: change, why }),
    });
    states.set(backend.name, state);
  }

  const choose = (needs: CallNeeds) => {
    for (const state of states.values()) state.probe();
    const snapshots = [...states.values()].map((state) => state.snapshot());
    return chooseBackend(snapshots, needs, Date.now());
  };

  /** Waits for a permit. Without one: when to try again (null: unknown). */
  async function acquirePermit(
    needs: CallNeeds,
    call: RouterCall,
    giveUpAt: number,
  ): Promise<Permit | { until: number | null }> {
    for (;;) {
      const choice = choose(needs);
      if (choice.kind === "go") {
        const state = states.get(choice.name);
        // Synchronous after the choice, so two calls cannot take the same permit.
        if (state !== undefined) return state.takePermit();
      } else {
        const { until, busy } = choice;
        if (Date.now() >= giveUpAt || (call.retry === "once" && !busy)) return { until };
        await waiters.wait(Math.min(until ?? giveUpAt, giveUpAt), call.signal);
      }
    }
  }

  return {
    backends,
    model: first.model,
    prices: highestPrices(backends),
    async ask(call) {
      const { role, tokens, signal, streamed, retry } = call;
      const giveUpAt = Date.now() + timeouts.firstMs;
      const tried = new Set<string>();
      let tries = 0;
      let rounds = 1;
      let last: RefusedReply | undefined;
      for (;;) {
        const permit = await acquirePermit({ role, tokens, tried }, call, giveUpAt);
        if ("until" in permit) return { ...(last ?? noBackendNow(permit.until)), unavailable: true };
        const { state, ask } = permit;
        const { backend } = state;
        const reply = await ask(call.body(backend), { streamed, signal });
        if (reply.kind !== "refused") return { ...reply, backend };
        last = reply;
        tried.add(backend.name);
        const delayMs = retryDelayMs(rounds, reply.retryAfter);
        if (reply.retryAfter !== null) state.pause(Date.now() + delayMs);
        const others = choose({ role, tokens, tried }).kind === "go";
        // A key that one backend refuses may be valid at another.
        if (!isTransient(reply.cause) && !(reply.cause === "foreign" && others))
          return { ...reply, unavailable: false };
        // Retries of a cold endpoint are bounded by time, not by number, because its workers take minutes to start.
        const cold = reply.cause === "cold" && Date.now() + delayMs < giveUpAt;
        if (!cold) tries += 1;
        if (tries >= MAX_TRIES) return { ...reply, unavailable: true };
        if (others) continue;
        if (retry === "once") return { ...reply, unavailable: true };
        tried.clear();
        rounds += 1;
        await sleep(cold ? Math.min(delayMs, timeouts.coldMs) : delayMs, undefined, { signal });
      }
    },
  };
}

function highestPrices(backends: readonly Backend[]): Prices {
  const most = (kind: keyof Prices) => Math.max(...backends.map(({ prices }) => prices[kind]));
  return { input: most("input"), output: most("output"), cached: most("cached") };
}

function noBackendNow(until: number | null): RefusedReply {
  const seconds = until === null ? 1 : Math.max(1, Math.ceil((until - Date.now()) / 1_000));
  const message = `no backend accepts calls now; retry in ${seconds} s`;
  return { kind: "refused", cause: "outage", status: 503, message, retryAfter: String(seconds) };
}
