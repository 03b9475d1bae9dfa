/** Prints what the control groups counted, of either version, each file after a line with its name. */
export const READ_USE = `cd /sys/fs/cgroup 2>/dev/null || exit 0
for file in cpu.stat memory.peak cpuacct/cpuacct.usage memory/memory.max_usage_in_bytes; do
  if [ -r "$file" ]; then echo "@$file"; cat "$file"; fi
done`;

const US_PER_MS = 1_000;
const NS_PER_MS = 1_000_000;

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
