import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  DelegateBackoff,
  handleWhenResult,
} from "cockatiel";

export interface BreakerOptions {
  /** The number of consecutive failures that opens the breaker. */
  readonly failures: number;
  /** Milliseconds from opening to the first probe. Each failed probe doubles the delay, up to a minute. */
  readonly probeAfterMs: number;
}

/** Stops calls to a backend that is down. Only a probe closes it again, so that no agent's call is spent on a test. */
export interface Breaker {
  closed(): boolean;
  probing(): boolean;
  /** When the next probe is due, milliseconds since 1970. */
  probeAt(): number;
  /** Counts the result of a call. */
  report(ok: boolean): Promise<void>;
  /** Closes the breaker when `check` resolves to true. */
  probe(check: () => Promise<boolean>): Promise<void>;
}

const MAX_PROBE_DELAY_MS = 60_000;

export function createBreaker(
  options: BreakerOptions,
  onChange: (state: "opened" | "closed") => void,
): Breaker {
  let probeAt = 0;
  let reported: "opened" | "closed" = "closed";
  // A failed probe opens the policy again; only real transitions are reported.
  const reportChange = (state: typeof reported) => {
    if (state !== reported) onChange((reported = state));
  };
  const policy = circuitBreaker(
    handleWhenResult((ok) => ok === false),
    {
      breaker: new ConsecutiveBreaker(options.failures),
      halfOpenAfter: new DelegateBackoff(({ attempt }) => {
        const ms = Math.min(options.probeAfterMs * 2 ** (attempt - 1), MAX_PROBE_DELAY_MS);
        probeAt = performance.now() + ms + 1;
        return ms;
      }),
    },
  );
  policy.onBreak(() => reportChange("opened"));
  policy.onReset(() => reportChange("closed"));
  return {
    closed: () => policy.state === CircuitState.Closed,
    probing: () => policy.state === CircuitState.HalfOpen,
    probeAt: () => probeAt,
    async report(ok) {
      // The result of a call that began before the breaker opened is ignored.
      if (policy.state === CircuitState.Closed) await policy.execute(() => ok);
    },
    async probe(check) {
      try {
        await policy.execute(() => check().catch(() => false));
      } catch (error) {
        if (!(error instanceof BrokenCircuitError)) throw error;
      }
    },
  };
}
