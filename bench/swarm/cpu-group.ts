import { existsSync, readFileSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";

/** Counts the processor time of processes and of all that they start, but for what joins a group of its own. */
export interface CpuGroup extends AsyncDisposable {
  add(pid: number): Promise<void>;
  usedMs(): number;
}

/** Null where this machine does not let us make control groups. */
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
    // What is still in it keeps it from being removed, and then it is only a name.
    [Symbol.asyncDispose]: () => rmdir(dir).catch(() => undefined),
  };
}
