/** The time of one attempt, in milliseconds. */
export interface Elapsed {
  /** Since the attempt began. */
  sinceStartMs(): number;
  /** Since its task was sent. */
  sinceSentMs(): number;
}

/** Measures from now on. `queuedMs`: the time since the task was sent, by the clock of Redis. */
export function startElapsed(queuedMs: number): Elapsed {
  const startedAt = performance.now();
  const sinceStartMs = () => Math.round(performance.now() - startedAt);
  return { sinceStartMs, sinceSentMs: () => queuedMs + sinceStartMs() };
}
