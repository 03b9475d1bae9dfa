import { existsSync, readFileSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";

/** Counts the CPU time of processes and their children, except for those that join a group of their own. */
export interface CpuGroup extends AsyncDisposable {
  add(pid: number): Promise<void>;
  /** CPU time so far, in milliseconds. */
  usedMs(): number;
}

/** Null where this machine does not allow control groups. */
export async function openCpuGroup(name: string): Promise<CpuGroup | null> {
  const isV1 = existsSync(join(ROOT, "cpuacct"));
  const dir = isV1 ? join(ROOT, "cpuacct", name) : join(ROOT, name);
  try {
    await mkdir(dir);
  } catch {
    return null;
  }
  const usedMs = () => {
    if (isV1) return Number(readFileSync(join(dir, "cpuacct.usage"), "utf8")) / 1e6;
    return Number(/^usage_usec (\d+)$/m.exec(readFileSync(join(dir, "cpu.stat"), "utf8"))?.[1]) / 1e3;
  };
  return {
    add: (pid) => writeFile(join(dir, "cgroup.procs"), String(pid)),
    usedMs,
    // A group with processes cannot be removed; it costs nothing to leave it.
    [Symbol.asyncDispose]: () => rmdir(dir).catch(() => undefined),
  };
}
