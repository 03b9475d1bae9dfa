/** A signal that is aborted when nothing happened for too long. */
export interface Watchdog {
  readonly signal: AbortSignal;
  /** Something happened; the next thing must happen within `ms`. */
  within(ms: number): void;
  stop(): void;
}

export function startWatchdog(what: string, ms: number): Watchdog {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const within = (nextMs: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new Error(`${what} was silent for ${nextMs} ms`)), nextMs);
  };
  within(ms);
  return { signal: controller.signal, within, stop: () => clearTimeout(timer) };
}
