import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxLimits } from "../sandbox.ts";

const ROOT = "/sys/fs/cgroup";
const CPU_PERIOD_US = 100_000;
const REMOVE_TRIES = 20;

/** A control group's folders, into whose `cgroup.procs` a process writes itself. */
export interface ControlGroup {
  readonly dirs: readonly string[];
  /** Kills whatever is in it, also what has left its process group. */
  kill(): void;
  /** What everything in it has taken so far; null where this machine does not count it. */
  used(): { readonly cpuMs: number | null; readonly memoryPeakBytes: number | null };
  remove(): Promise<void>;
}

export interface ControlGroups {
  readonly unenforced: readonly (keyof SandboxLimits)[];
  create(name: string, limits: SandboxLimits): Promise<ControlGroup>;
  /** Removes what a dead process made under that name, with whatever still runs in it. */
  remove(name: string): Promise<void>;
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

interface Controller {
  /** Null for one that only counts. */
  readonly limit: "memoryBytes" | "pids" | "cpus" | null;
  readonly dir: string;
  readonly files: (limits: SandboxLimits) => Record<string, string>;
}

const quota = (limits: SandboxLimits) => String(Math.round(limits.cpus * CPU_PERIOD_US));

function controllersV1(): Controller[] {
  const all: Controller[] = [
    {
      limit: "memoryBytes",
      dir: "memory",
      files: (limits) => ({ "memory.limit_in_bytes": String(limits.memoryBytes) }),
    },
    { limit: "pids", dir: "pids", files: (limits) => ({ "pids.max": String(limits.pids) }) },
    {
      limit: "cpus",
      dir: "cpu",
      files: (limits) => ({ "cpu.cfs_period_us": String(CPU_PERIOD_US), "cpu.cfs_quota_us": quota(limits) }),
    },
    // Some machines mount it together with the one above, some apart.
    { limit: null, dir: "cpuacct", files: () => ({}) },
  ];
  return all.map((one) => ({ ...one, dir: join(ROOT, one.dir) })).filter((one) => writable(one.dir));
}

function controllersV2(): Controller[] {
  const file = join(ROOT, "cgroup.subtree_control");
  if (!existsSync(file) || !writable(ROOT)) return [];
  const enabled = readFileSync(file, "utf8").split(/\s+/);
  const all: (Controller & { name: string })[] = [
    {
      name: "memory",
      limit: "memoryBytes",
      dir: ROOT,
      files: (limits) => ({ "memory.max": String(limits.memoryBytes) }),
    },
    { name: "pids", limit: "pids", dir: ROOT, files: (limits) => ({ "pids.max": String(limits.pids) }) },
    {
      name: "cpu",
      limit: "cpus",
      dir: ROOT,
      files: (limits) => ({ "cpu.max": `${quota(limits)} ${CPU_PERIOD_US}` }),
    },
  ];
  return all.filter((one) => enabled.includes(one.name));
}

/** The control groups this process may make: version 1 or 2, or none, which leaves those limits unenforced. */
export function findControlGroups(): ControlGroups {
  const controllers = existsSync(join(ROOT, "cgroup.controllers")) ? controllersV2() : controllersV1();
  const enforced = new Set(controllers.map((one) => one.limit));
  return {
    unenforced: (["memoryBytes", "pids", "cpus"] as const).filter((limit) => !enforced.has(limit)),
    async create(name, limits) {
      const dirs = new Set<string>();
      for (const controller of controllers) {
        const dir = join(controller.dir, name);
        await mkdir(dir, { recursive: true });
        dirs.add(dir);
        for (const [file, value] of Object.entries(controller.files(limits)))
          await writeFile(join(dir, file), value);
      }
      return {
        dirs: [...dirs],
        kill: () => dirs.forEach(killIn),
        used: () => usedIn(name),
        remove: () => removeAll([...dirs]),
      };
    },
    remove: (name) => removeAll(controllers.map((one) => join(one.dir, name))),
  };
}

const NS_PER_MS = 1_000_000;
const US_PER_MS = 1_000;

function usedIn(name: string): ReturnType<ControlGroup["used"]> {
  const read = (...path: string[]) => {
    try {
      return readFileSync(join(ROOT, ...path), "utf8");
    } catch {
      return null;
    }
  };
  const number = (text: string | null | undefined) =>
    text === null || text === undefined ? null : Number(text);
  const nanoseconds = number(read("cpuacct", name, "cpuacct.usage"));
  const microseconds = number(/^usage_usec (\d+)$/m.exec(read(name, "cpu.stat") ?? "")?.[1]);
  return {
    cpuMs:
      nanoseconds === null
        ? microseconds && Math.round(microseconds / US_PER_MS)
        : Math.round(nanoseconds / NS_PER_MS),
    memoryPeakBytes: number(read("memory", name, "memory.max_usage_in_bytes") ?? read(name, "memory.peak")),
  };
}

function killIn(dir: string): void {
  let pids: number[];
  try {
    pids = readFileSync(join(dir, "cgroup.procs"), "utf8").split("\n").map(Number);
  } catch {
    return;
  }
  for (const pid of pids.filter((one) => one > 0)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended in between.
    }
  }
}

/** A group can be removed only once the kernel has buried its last process, which takes a moment. */
async function removeAll(dirs: readonly string[]): Promise<void> {
  for (const dir of dirs) {
    for (let tries = 0; tries < REMOVE_TRIES; tries += 1) {
      const done = await rmdir(dir).then(
        () => true,
        (error: NodeJS.ErrnoException) => error.code === "ENOENT",
      );
      if (done) break;
      killIn(dir);
      await sleep(25);
    }
  }
}
