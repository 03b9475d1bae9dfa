import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "bullmq";
import type { QueueConnection } from "./connect.ts";
import { isOutOfMemory } from "./redis-fault.ts";

const PROBE_EVERY_MS = 1_000;

export interface Pausing {
  /** To be called with every error of the worker. */
  onWorkerError(error: unknown): void;
  stop(): void;
}

/**
 * Pauses a worker while Redis refuses writes because its memory is full, and resumes it as soon as a small write
 * succeeds. Without the pause the worker asks for its next job thousands of times a second.
 */
export function pauseWhenFull(connection: QueueConnection, worker: Worker): Pausing {
  const stopping = new AbortController();
  let full = false;

  const waitForMemory = async () => {
    await worker.pause(true);
    const key = connection.key("probe", "memory");
    for (;;) {
      await sleep(PROBE_EVERY_MS, undefined, { signal: stopping.signal });
      try {
        await connection.redis.set(key, "1", "PX", PROBE_EVERY_MS);
        break;
      } catch (error) {
        if (!isOutOfMemory(error)) throw error;
      }
    }
    full = false;
    void worker.resume();
  };

  return {
    onWorkerError(error) {
      if (full || stopping.signal.aborted || !isOutOfMemory(error)) return;
      full = true;
      waitForMemory().catch(() => {
        full = false;
        if (!stopping.signal.aborted) void worker.resume();
      });
    },
    stop: () => stopping.abort(),
  };
}
