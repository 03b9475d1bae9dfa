import { EventEmitter, once } from "node:events";

/** Lets an answer wait until others have asked too, so that what happens at once in the recording does so here. */
export interface Meeting {
  arrive(key: string): void;
  /** Resolves when all keys have asked, or after the longest wait. */
  allOf(keys: readonly string[]): Promise<void>;
}

export function openMeeting(longestWaitMs: number): Meeting {
  const arrived = new Set<string>();
  const news = new EventEmitter();
  news.setMaxListeners(0);
  return {
    arrive(key) {
      arrived.add(key);
      news.emit("arrived");
    },
    async allOf(keys) {
      const signal = AbortSignal.timeout(longestWaitMs);
      while (!signal.aborted && keys.some((key) => !arrived.has(key))) {
        await once(news, "arrived", { signal }).catch(() => undefined);
      }
    },
  };
}
