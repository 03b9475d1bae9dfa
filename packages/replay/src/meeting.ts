import { EventEmitter, once } from "node:events";

const LONGEST_WAIT_MS = 10_000;

/** Lets an answer wait until others have asked too, so that what happens at once in the recording does so here. */
export interface Meeting {
  arrive(key: string): void;
  /** Resolves when all keys have asked, or after 10 s. */
  allOf(keys: readonly string[]): Promise<void>;
}

export function openMeeting(): Meeting {
  const arrived = new Set<string>();
  const news = new EventEmitter();
  news.setMaxListeners(0);
  return {
    arrive(key) {
      arrived.add(key);
      news.emit("arrived");
    },
    async allOf(keys) {
      const signal = AbortSignal.timeout(LONGEST_WAIT_MS);
      while (!signal.aborted && keys.some((key) => !arrived.has(key))) {
        await once(news, "arrived", { signal }).catch(() => undefined);
      }
    },
  };
}
