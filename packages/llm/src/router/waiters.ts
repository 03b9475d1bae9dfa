/** Calls that wait, in order, until a permit may be free. */
export interface Waiters {
  /** Wakes all waiting calls, so that each looks for a permit again. */
  wakeAll(): void;
  /** Resolves at the next wakeAll or at `until` (milliseconds since 1970). Throws when `signal` is aborted. */
  wait(until: number, signal: AbortSignal): Promise<void>;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

export function openWaiters(): Waiters {
  let waiting = new Set<() => void>();
  return {
    wakeAll() {
      const woken = waiting;
      waiting = new Set();
      for (const wake of woken) wake();
    },
    async wait(until, signal) {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(Math.max(0, until - performance.now()), MAX_TIMER_MS));
      waiting.add(resolve);
      const onAbort = () => resolve();
      signal.addEventListener("abort", onAbort);
      await promise;
      signal.removeEventListener("abort", onAbort);
      clearTimeout(timer);
      waiting.delete(resolve);
      signal.throwIfAborted();
    },
  };
}
