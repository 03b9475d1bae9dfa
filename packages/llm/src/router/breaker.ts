import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  DelegateBackoff,
  handleWhenResult,
} from "cockatiel";

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** From its opening to the first probe; doubled by every probe that fails, up to a minute. */
  readonly probeAfterMs: number;
}

/** Keeps calls from a backend that is down. Only a probe closes it again, so that no agent's call is spent on that. */
export interface Breaker {
  closed(): boolean;
  probing(): boolean;
  /** When the next probe may be made, milliseconds since 1970. */
  probeAt(): number;
  /** How a call went. */
  report(well: boolean): Promise<void>;
  /** Closes it when `check` finds the backend well. */
  probe(check: () => Promise<boolean>): Promise<void>;
}

const LONGEST_PROBE_WAIT_MS = 60_000;

export function createBreaker(
  options: BreakerOptions,
  onChange: (state: "opened" | "closed") => void,
): Breaker {
  let probeAt = 0;
  let told: "opened" | "closed" = "closed";
  const tell = (state: typeof told) => {
    if (state !== told) onChange((told = state));
  };
  const policy = circuitBreaker(
    handleWhenResult((well) => well === false),
    {
      breaker: new ConsecutiveBreaker(options.failures),
      halfOpenAfter: new DelegateBackoff(({ attempt }) => {
        const ms = Math.min(options.probeAfterMs * 2 ** (attempt - 1), LONGEST_PROBE_WAIT_MS);
        probeAt = Date.now() + ms + 1;
        return ms;
      }),
    },
  );
  policy.onBreak(() => tell("opened"));
  policy.onReset(() => tell("closed"));
  return {
    closed: () => policy.state === CircuitState.Closed,
    probing: () => policy.state === CircuitState.HalfOpen,
    probeAt: () => probeAt,
    async report(well) {
      // Calls that were under way when it opened say nothing new.
      if (policy.state === CircuitState.Closed) await policy.execute(() => well);
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
