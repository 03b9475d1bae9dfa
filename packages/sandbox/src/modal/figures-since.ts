import type { CgroupFigures } from "../cgroup-figures.ts";

/** By how much a limit may be exceeded for a moment. */
const BURST = 1.5;

/**
 * Returns what a sandbox used between two readings. A figure that exceeds the sandbox's limits becomes null: where the
 * control groups visible inside are those of the whole machine, they count other programs too.
 */
export function figuresSince(
  before: CgroupFigures,
  now: CgroupFigures,
  bounds: { readonly aliveMs: number; readonly cpus: number; readonly memoryBytes: number },
): CgroupFigures {
  const cpuMs = before.cpuMs === null || now.cpuMs === null ? null : now.cpuMs - before.cpuMs;
  const mostCpuMs = bounds.aliveMs * bounds.cpus * BURST;
  const { memoryPeakBytes } = now;
  return {
    cpuMs: cpuMs === null || cpuMs < 0 || cpuMs > mostCpuMs ? null : cpuMs,
    memoryPeakBytes:
      memoryPeakBytes !== null && memoryPeakBytes > bounds.memoryBytes ? null : memoryPeakBytes,
  };
}
