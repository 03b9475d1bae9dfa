/** Where calls wait, in their order, for something to change. */
export interface WaitingRoom {
  /** Something changed: all look again. */
  nudge(): void;
  /** Resolves at the next nudge or at `until` (milliseconds since 1970). Throws when aborted. */
  wait(until: number, signal: AbortSignal): Promise<void>;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function openWaitingRoom(): WaitingRoom {
  let waiting = new Set<() => void>();
  return {
    nudge() {
      const woken = waiting;
      waiting = new Set();
      for (const wake of woken) wake();
    },
    async wait(until, signal) {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(Math.max(0, until - Date.now()), LONGEST_TIMER_MS));
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
