/** A signal that is aborted when nothing happens for too long. */
export interface Watchdog {
  readonly signal: AbortSignal;
  /** Restarts the timer: the next event must come within `ms`. */
  within(ms: number): void;
  stop(): void;
}

export function startWatchdog(subject: string, ms: number): Watchdog {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const within = (nextMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new Error(`${subject} was silent for ${nextMs} ms`)), nextMs);
  };
  within(ms);
  return { signal: controller.signal, within, stop: () => clearTimeout(timer) };
}
