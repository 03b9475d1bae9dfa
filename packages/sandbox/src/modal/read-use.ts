/** Prints what the control groups counted, of either version, each file after a line with its name. */
export const READ_USE = `cd /sys/fs/cgroup 2>/dev/null || exit 0
for file in cpu.stat memory.peak cpuacct/cpuacct.usage memory/memory.max_usage_in_bytes; do
  if [ -r "$file" ]; then echo "@$file"; cat "$file"; fi
done`;

const US_PER_MS = 1_000;
const NS_PER_MS = 1_000_000;
/** By how much a limit may be overrun for a moment. */
const BURST = 1.5;

export interface Use {
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
}

/** Reads what READ_USE printed; what is missing there is null. */
export function parseUse(text: string): Use {
  const find = (pattern: RegExp): number | null => {
    const found = pattern.exec(text)?.[1];
    return found === undefined ? null : Number(found);
  };
  const microseconds = find(/^@cpu\.stat\n(?:[^@\n]*\n)*?usage_usec (\d+)$/m);
  const nanoseconds = find(/^@cpuacct\/cpuacct\.usage\n(\d+)$/m);
  return {
    cpuMs:
      microseconds === null
        ? nanoseconds && Math.round(nanoseconds / NS_PER_MS)
        : Math.round(microseconds / US_PER_MS),
    memoryPeakBytes: find(/^@memory\.peak\n(\d+)$/m) ?? find(/^@memory\/memory\.max_usage_in_bytes\n(\d+)$/m),
  };
}

/**
 * What a sandbox took, of what was counted at its begin and now. Figures that cannot be its own are null: where the
 * control groups seen inside are those of the whole machine, they count everybody's.
 */
export function useSince(
  before: Use,
  now: Use,
  bounds: { readonly aliveMs: number; readonly cpus: number; readonly memoryBytes: number },
): Use {
  const cpuMs = before.cpuMs === null || now.cpuMs === null ? null : now.cpuMs - before.cpuMs;
  const mostCpuMs = bounds.aliveMs * bounds.cpus * BURST;
  const { memoryPeakBytes } = now;
  return {
    cpuMs: cpuMs === null || cpuMs < 0 || cpuMs > mostCpuMs ? null : cpuMs,
    memoryPeakBytes:
      memoryPeakBytes !== null && memoryPeakBytes > bounds.memoryBytes ? null : memoryPeakBytes,
  };
}
