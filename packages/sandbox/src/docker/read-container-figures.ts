import type Docker from "dockerode";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { parseCgroupFigures, PRINT_FIGURES, UNKNOWN_FIGURES, type CgroupFigures } from "../cgroup-figures.ts";
import { rootExecBody } from "./container-body.ts";
import { runWithInput } from "./exec-in-container.ts";

const NS_PER_MS = 1_000_000;
const READ_TIMEOUT_MS = 2_000;

/**
 * Reads what the kernel counted for a container, from inside and as root without any capability, whose programs a guest
 * cannot touch. The engine's own statistics are only the fallback: they take a second, and the end of every sandbox
 * would wait for them.
 */
export async function readContainerFigures(container: Docker.Container): Promise<CgroupFigures> {
  try {
    const reading = runWithInput(container, rootExecBody(PRINT_FIGURES), Readable.from([]));
    const result = await Promise.race([reading, sleep(READ_TIMEOUT_MS, null, { ref: false })]);
    const figures = result === null ? UNKNOWN_FIGURES : parseCgroupFigures(result.outputTail);
    return figures.cpuMs === null ? await readEngineStats(container) : figures;
  } catch {
    return UNKNOWN_FIGURES;
  }
}

interface EngineStats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: { readonly max_usage?: number };
}

async function readEngineStats(container: Docker.Container): Promise<CgroupFigures> {
  const stats = (await container.stats({ stream: false, "one-shot": true })) as EngineStats;
  const nanoseconds = stats.cpu_stats?.cpu_usage?.total_usage ?? 0;
  // All figures of a container that does not run are zero.
  if (nanoseconds === 0) return UNKNOWN_FIGURES;
  return {
    cpuMs: Math.round(nanoseconds / NS_PER_MS),
    memoryPeakBytes: stats.memory_stats?.max_usage ?? null,
  };
}
