/** How a call went, as far as the limit is concerned. */
export type Load = "well" | "overload" | "unknown";

/** How many calls a backend is given at once. */
export interface AdaptiveLimit {
  /** How many more may begin now. */
  free(): number;
  /** The share in use, 0 to 1. */
  load(): number;
  /** Now's limit, never above the highest. */
  limit(): number;
  /** Begins a call; what it returns ends it. */
  take(): (load: Load) => void;
}

/**
 * Additive increase, multiplicative decrease, as TCP shares a line: a whole limit's worth of calls that go well makes
 * room for one more, an overload halves it. Overloads of calls that had begun before the last halving say nothing new.
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
      return (load) => {
        used -= 1;
        if (load === "well") limit = Math.min(highest, limit + 1 / limit);
        if (load !== "overload" || number <= halvedAt) return;
        limit = Math.max(1, limit / 2);
        halvedAt = begun;
      };
    },
  };
}
