/** The outcome of a call, for the limit. */
export type CallOutcome = "ok" | "overload" | "unknown";

/** The number of concurrent calls to one backend, adapted to its overloads. */
export interface AdaptiveLimit {
  /** The number of calls that may still begin now. */
  free(): number;
  /** The share in use, 0 to 1. */
  load(): number;
  /** The current limit, at most the highest. */
  limit(): number;
  /** Begins a call; the returned function ends it. */
  take(): (outcome: CallOutcome) => void;
}

/**
 * Additive increase, multiplicative decrease, as in TCP: one limit's worth of successful calls raises the limit by one,
 * an overload halves it. An overload of a call that began before the last halving is ignored.
 */
export function createAdaptiveLimit(highest: number): AdaptiveLimit {
  let limit = highest;
  let used = 0;
  let begun = 0;
  let halvedAt = 0;
  return {
    free: () => Math.floor(limit) - used,
    load: () => used / limit,
    limit: () => Math.floor(limit),
    take() {
      used += 1;
      begun += 1;
      const number = begun;
      return (outcome) => {
        used -= 1;
        if (outcome === "ok") limit = Math.min(highest, limit + 1 / limit);
        if (outcome !== "overload" || number <= halvedAt) return;
        limit = Math.max(1, limit / 2);
        halvedAt = begun;
      };
    },
  };
}
