import { Worker } from "node:worker_threads";
import type { SearchedText, SecretHit } from "./find-secrets.ts";

/** Searches texts for secrets beside the event loop. */
export interface SecretScanner extends AsyncDisposable {
  /** Null: the search took longer than its time limit, or more memory than it may use. */
  scan(texts: readonly SearchedText[]): Promise<readonly SecretHit[] | null>;
}

type Answer = { id: number; hits: SecretHit[] } | { id: number; error: string };

const TIMEOUT_MS = 20_000;
const MEMORY_MB = 512;

/** @param timeoutMs time limit of one search, from its turn on */
export function openSecretScanner({ timeoutMs = TIMEOUT_MS } = {}): SecretScanner {
  let worker: Worker | null = null;
  let last = Promise.resolve<unknown>(null);
  let scans = 0;

  const start = (): Worker => {
    const started = new Worker(new URL("scan-worker.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    started.unref();
    started.on("error", () => undefined);
    started.on("exit", () => {
      if (worker === started) worker = null;
    });
    return started;
  };

  const scanNow = async (texts: readonly SearchedText[]): Promise<readonly SecretHit[] | null> => {
    const running = (worker ??= start());
    const id = (scans += 1);
    const { promise, resolve } = Promise.withResolvers<readonly SecretHit[] | null>();
    const onExit = () => resolve(null);
    const onMessage = (answer: Answer) => {
      if (answer.id === id) resolve("hits" in answer ? answer.hits : null);
    };
    running.on("message", onMessage);
    running.once("exit", onExit);
    const timer = setTimeout(() => resolve(null), timeoutMs);
    running.postMessage({ id, texts });
    const hits = await promise;
    clearTimeout(timer);
    running.off("message", onMessage);
    running.off("exit", onExit);
    // A search that did not end would go on beside the next.
    if (hits === null) {
      worker = null;
      await running.terminate();
    }
    return hits;
  };

  return {
    scan(texts) {
      const mine = last.then(() => scanNow(texts));
      last = mine;
      return mine;
    },
    async [Symbol.asyncDispose]() {
      await worker?.terminate();
    },
  };
}
