/** Where the kernel shows its control groups. */
export const CGROUP_ROOT = "/sys/fs/cgroup";

/** What the kernel counted for the programs of a control group; null where it does not count. */
export interface CgroupFigures {
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
}

export const UNKNOWN_FIGURES: CgroupFigures = { cpuMs: null, memoryPeakBytes: null };

const NS_PER_MS = 1_000_000;
const US_PER_MS = 1_000;

/** The files that hold the figures of a control group, of version 1 and of version 2; a machine has some of them. */
export function cgroupFiles(group = "."): string[] {
  return [
    `${CGROUP_ROOT}/cpuacct/${group}/cpuacct.usage`,
    `${CGROUP_ROOT}/memory/${group}/memory.max_usage_in_bytes`,
    `${CGROUP_ROOT}/${group}/cpu.stat`,
    `${CGROUP_ROOT}/${group}/memory.peak`,
  ];
}

/** Prints the figures of the control group that is seen as the root, as `parseCgroupFigures` reads them. */
export const PRINT_FIGURES: readonly string[] = ["grep", "-s", ".", ...cgroupFiles()];

/** Reads lines of a file's path, a colon and a line of that file, as grep prints them for several files. */
export function parseCgroupFigures(lines: string): CgroupFigures {
  const find = (pattern: RegExp): number | null => {
    const found = pattern.exec(lines)?.[1];
    return found === undefined ? null : Number(found);
  };
  const nanoseconds = find(/\/cpuacct\.usage:(\d+)$/m);
  const microseconds = find(/\/cpu\.stat:usage_usec (\d+)$/m);
  const cpuMs = nanoseconds === null ? microseconds && microseconds / US_PER_MS : nanoseconds / NS_PER_MS;
  return {
    cpuMs: cpuMs === null ? null : Math.round(cpuMs),
    memoryPeakBytes: find(/\/memory\.(?:max_usage_in_bytes|peak):(\d+)$/m),
  };
}
