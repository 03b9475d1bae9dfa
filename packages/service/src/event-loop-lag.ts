import { monitorEventLoopDelay } from "node:perf_hooks";

const EVERY_MS = 10;

/** Measures how long this process keeps its event loop from turning. */
export interface LagMeter extends Disposable {
  /** The longest such time in milliseconds since the last call. */
  takeMaxMs(): number;
}

export function measureLag(): LagMeter {
  const histogram = monitorEventLoopDelay({ resolution: EVERY_MS });
  histogram.enable();
  return {
    takeMaxMs() {
      // It holds the times between two turns, which are at least the resolution, in nanoseconds.
      const ms = histogram.max / 1e6 - EVERY_MS;
      histogram.reset();
      return Math.max(0, Math.round(ms));
    },
    [Symbol.dispose]: () => void histogram.disable(),
  };
}
