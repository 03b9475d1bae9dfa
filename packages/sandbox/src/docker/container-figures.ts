import type Docker from "dockerode";

/** What everything in a container has taken so far; null where the engine does not count it. */
export interface Used {
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
}

const NS_PER_MS = 1_000_000;
export const UNKNOWN: Used = { cpuMs: null, memoryPeakBytes: null };

interface Stats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: { readonly usage?: number; readonly max_usage?: number };
}

/**
 * Asks the engine once, without its second of waiting for a rate. With control groups of version 2 it does not know the
 * peak, which the kernel tells inside; `readPeak` is asked then.
 */
export async function figuresOf(
  container: Docker.Container,
  readPeak: () => Promise<number | null>,
): Promise<Used> {
  try {
    const stats = (await container.stats({ stream: false, "one-shot": true })) as Stats;
    const ns = stats.cpu_stats?.cpu_usage?.total_usage ?? 0;
    // A container that is not running has zeros for everything.
    if (ns === 0) return UNKNOWN;
    return {
      cpuMs: Math.round(ns / NS_PER_MS),
      memoryPeakBytes: stats.memory_stats?.max_usage ?? (await readPeak()),
    };
  } catch {
    return UNKNOWN;
  }
}
