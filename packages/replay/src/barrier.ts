import { EventEmitter, once } from "node:events";

/** Delays answers until other keys have asked, so that conversations overlap as they did in the recording. */
export interface Barrier {
  arrive(key: string): void;
  /** Resolves when all keys have arrived, or after the longest wait. */
  waitFor(keys: readonly string[]): Promise<void>;
}

export function openBarrier(maxWaitMs: number): Barrier {
  const arrived = new Set<string>();
  const arrivals = new EventEmitter();
  arrivals.setMaxListeners(0);
  return {
    arrive(key) {
      arrived.add(key);
      arrivals.emit("arrived");
    },
    async waitFor(keys) {
      const signal = AbortSignal.timeout(maxWaitMs);
      while (!signal.aborted && keys.some((key) => !arrived.has(key))) {
        await once(arrivals, "arrived", { signal }).catch(() => undefined);
      }
    },
  };
}
