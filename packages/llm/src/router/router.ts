import { setTimeout as sleep } from "node:timers/promises";
import { Fault, type Role } from "@agentswarm/contracts";
import type { Backend } from "../backends/backend.ts";
import type { Prices } from "../backends/models.ts";
import type { RefusedReply, Timeouts } from "../wire/ask-once.ts";
import { maskKeys } from "../wire/mask-keys.ts";
import { describeRefusal, operatorFault } from "../wire/describe-refusal.ts";
import { isOperatorCause, isTransient } from "../wire/judge-refusal.ts";
import { openBackendState, type BackendState, type Permit } from "./backend-state.ts";
import type { BreakerOptions } from "./breaker.ts";
import { chooseBackend, type CallNeeds } from "./choose-backend.ts";
import { serves } from "../backends/backend.ts";
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
      /** The refusal for people: which backend, and the setting that corrects it if there is one. */
      readonly why: string;
    });

export interface Router {
  readonly backends: readonly Backend[];
  /** The model's name towards callers: the first backend's. */
  readonly model: string;
  /** The highest prices of all backends: the bound of a call's cost before a backend is chosen. */
  readonly prices: Prices;
  /** Throws only when the call's signal is aborted. */
  ask(call: RouterCall): Promise<RouterAnswer>;
  /**
   * Why no backend answers calls of this role now, as a retryable Fault: `model.refused` when a person must correct a
   * setting, `model.unavailable` when the backends are down. Null when one answers. Probes backends that are due.
   */
  outage(role: Role): Promise<Fault | null>;
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
  /** Milliseconds from a refusal that a person must end to its first probe; doubles up to 30 s. */
  readonly refusedProbeMs?: number;
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
const REFUSED_PROBE_MS = 1_000;

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
      breaker: { ...BREAKER, ...options.breaker },
      refusedProbeMs: options.refusedProbeMs ?? REFUSED_PROBE_MS,
      onFree: () => waiters.wakeAll(),
      onChange: ({ name }, change, why) => options.onChange?.({ backend: name, state: change, why }),
    });
    states.set(backend.name, state);
  }

  const servingOf = (role: Role) => [...states.values()].filter(({ backend }) => serves(backend, role));
  const lastFailure = (role: Role) =>
    servingOf(role)
      .map((state) => state.lastFailure())
      .find((failure) => failure !== "") ?? "";
  const isDown = (role: Role) =>
    servingOf(role).every((state) => ["down", "refusing"].includes(state.snapshot().health.kind));

  const choose = (needs: CallNeeds) => {
    for (const state of states.values()) void state.probe();
    const snapshots = [...states.values()].map((state) => state.snapshot());
    return chooseBackend(snapshots, needs, performance.now());
  };

  /** The refusal of the first backend of a role, all of which refuse; after the probes that are due. */
  async function standingRefusal(role: Role): Promise<RouterAnswer | null> {
    const serving = servingOf(role);
    const probed = await Promise.all(serving.map((state) => state.probe()));
    if (probed.includes(true)) return null;
    for (const state of serving) {
      const refusal = state.refusal();
      if (refusal === null) continue;
      const { reply, probeAt } = refusal;
      return { ...reply, ...laterBy(probeAt), unavailable: true, why: describeRefusal(reply, state.backend) };
    }
    return null;
  }

  /** Waits for a permit. Without one: when to try again (null: unknown), or the refusal of all backends. */
  async function acquirePermit(
    needs: CallNeeds,
    call: RouterCall,
    giveUpAt: number,
  ): Promise<Permit | { until: number | null } | { refusal: RouterAnswer }> {
    for (;;) {
      const choice = choose(needs);
      if (choice.kind === "refused") {
        const refusal = await standingRefusal(needs.role);
        call.signal.throwIfAborted();
        if (refusal !== null) return { refusal };
        continue;
      }
      if (choice.kind === "go") {
        const state = states.get(choice.name);
        // Synchronous after the choice, so two calls cannot take the same permit.
        if (state !== undefined) return state.takePermit();
      } else {
        const { until, busy } = choice;
        if (performance.now() >= giveUpAt || (call.retry === "once" && !busy)) return { until };
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
      const giveUpAt = performance.now() + timeouts.firstMs;
      const tried = new Set<string>();
      let tries = 0;
      let rounds = 1;
      let last: RouterAnswer | undefined;
      for (;;) {
        const permit = await acquirePermit({ role, tokens, tried }, call, giveUpAt);
        if ("refusal" in permit) return last ?? permit.refusal;
        if ("until" in permit) return last ?? noBackendNow(permit.until, lastFailure(role));
        const { state, ask } = permit;
        const { backend } = state;
        const reply = await ask(call.body(backend), { streamed, signal });
        if (reply.kind !== "refused") return { ...reply, backend };
        const why = describeRefusal(reply, backend);
        const refused = { ...reply, why, unavailable: true };
        last = refused;
        tried.add(backend.name);
        const delayMs = retryDelayMs(rounds, reply.retryAfter);
        if (reply.retryAfter !== null) state.pause(performance.now() + delayMs);
        const others = choose({ role, tokens, tried }).kind === "go";
        const lasting = isOperatorCause(reply.cause);
        // A key that one backend refuses may be valid at another.
        if (!isTransient(reply.cause) && !(lasting && others)) return { ...refused, unavailable: lasting };
        // Retries of a cold endpoint are bounded by time, not by number, because its workers take minutes to start.
        const cold = reply.cause === "cold" && performance.now() + delayMs < giveUpAt;
        if (!cold) tries += 1;
        if (tries >= MAX_TRIES) return refused;
        if (others) continue;
        if (retry === "once") return refused;
        tried.clear();
        rounds += 1;
        await sleep(cold ? Math.min(delayMs, timeouts.coldMs) : delayMs, undefined, { signal });
      }
    },
    async outage(role) {
      for (;;) {
        const choice = choose({ role, tokens: 0, tried: new Set() });
        if (choice.kind === "go") return null;
        if (choice.kind === "wait") {
          // A backend that is full or paused for a moment is waited for by the call itself.
          if (choice.busy || !isDown(role)) return null;
          const retryAfterMs = Math.max(MIN_RETRY_MS, (choice.until ?? 0) - performance.now());
          const why = `no backend answers: ${lastFailure(role)}`;
          return new Fault("model.unavailable", why, { retryable: true, retryAfterMs });
        }
        const refusal = await standingRefusal(role);
        if (refusal?.kind === "refused")
          return operatorFault(refusal.why, Number(refusal.retryAfter) * 1_000 || MIN_RETRY_MS);
      }
    },
  };
}

function highestPrices(backends: readonly Backend[]): Prices {
  const most = (kind: keyof Prices) => Math.max(...backends.map(({ prices }) => prices[kind]));
  return { input: most("input"), output: most("output"), cached: most("cached") };
}

/** The least time between two looks at backends that do not answer. */
const MIN_RETRY_MS = 1_000;

/** A Retry-After header for this time. */
function laterBy(until: number | null): { readonly retryAfter: string } {
  const ms = until === null ? 0 : until - performance.now();
  return { retryAfter: String(Math.ceil(Math.max(MIN_RETRY_MS, ms) / 1_000)) };
}

function noBackendNow(until: number | null, lastFailure: string): RouterAnswer {
  const { retryAfter } = laterBy(until);
  const message = `no backend accepts calls now; retry in ${retryAfter} s`;
  const why = lastFailure === "" ? message : `${message}; the last failure: ${lastFailure}`;
  return { kind: "refused", cause: "outage", status: 503, message, retryAfter, unavailable: true, why };
}
