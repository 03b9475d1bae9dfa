import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CGROUP_ROOT as ROOT,
  cgroupFiles,
  parseCgroupFigures,
  type CgroupFigures,
} from "../cgroup-figures.ts";
import type { SandboxLimits } from "../sandbox.ts";
import { findDelegatedGroup } from "./delegated-cgroup.ts";

const CPU_PERIOD_US = 100_000;
const REMOVE_TRIES = 20;

/** A control group. A process joins it by writing its pid into `cgroup.procs` of each folder. */
export interface ControlGroup {
  readonly dirs: readonly string[];
  /** Kills every process in it, also those that left their process group. */
  kill(): void;
  /** Reads the figures of its processes so far. */
  figures(): CgroupFigures;
  /** The limit at which the kernel has killed or refused a process; null for none. */
  reached(): "memoryBytes" | "pids" | null;
  remove(): Promise<void>;
}

export interface ControlGroups {
  readonly unenforced: readonly (keyof SandboxLimits)[];
  create(name: string, limits: SandboxLimits): Promise<ControlGroup>;
  /** Removes the group of that name that a dead process made, and kills what still runs in it. */
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
  /** Null for a controller that only counts. */
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
    // Some machines mount it together with `cpu`, some separately.
    { limit: null, dir: "cpuacct", files: () => ({}) },
  ];
  return all.map((one) => ({ ...one, dir: join(ROOT, one.dir) })).filter((one) => writable(one.dir));
}

/** The controllers that are enabled for the groups below a group. */
function controllersV2(base: string): Controller[] {
  const file = join(base, "cgroup.subtree_control");
  if (!existsSync(file) || !writable(base)) return [];
  const enabled = readFileSync(file, "utf8").split(/\s+/);
  const all: (Controller & { name: string })[] = [
    {
      name: "memory",
      limit: "memoryBytes",
      dir: base,
      files: (limits) => ({ "memory.max": String(limits.memoryBytes) }),
    },
    { name: "pids", limit: "pids", dir: base, files: (limits) => ({ "pids.max": String(limits.pids) }) },
    {
      name: "cpu",
      limit: "cpus",
      dir: base,
      files: (limits) => ({ "cpu.max": `${quota(limits)} ${CPU_PERIOD_US}` }),
    },
  ];
  return all.filter((one) => enabled.includes(one.name));
}

/**
 * Finds the control groups that this process may make: at the root of the hierarchy, of version 1 or 2, else in the group
 * that systemd has delegated to this process; or none, which leaves the limits unenforced.
 */
export async function findControlGroups(): Promise<ControlGroups> {
  const isV2 = existsSync(join(ROOT, "cgroup.controllers"));
  const atRoot = isV2 ? controllersV2(ROOT) : controllersV1();
  const delegated = atRoot.length === 0 && isV2 ? await findDelegatedGroup() : null;
  const controllers = delegated === null ? atRoot : controllersV2(delegated);
  const pathOf = (name: string) => join(relative(ROOT, delegated ?? ROOT), name);
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
        figures: () => readFigures(pathOf(name)),
        reached: () => limitReached([...dirs]),
        remove: () => removeAll([...dirs]),
      };
    },
    remove: (name) => removeAll(controllers.map((one) => join(one.dir, name))),
  };
}

function readFigures(name: string): CgroupFigures {
  const lines = cgroupFiles(name).flatMap((file) => {
    try {
      return readFileSync(file, "utf8")
        .split("\n")
        .map((line) => `${file}:${line}`);
    } catch {
      // Each version of control groups has only some of the files.
      return [];
    }
  });
  return parseCgroupFigures(lines.join("\n"));
}

/** The files that count kills for want of memory and refused forks, of version 1 and of version 2. */
const COUNTS = [
  { limit: "memoryBytes", files: ["memory.oom_control", "memory.events"], pattern: /^oom_kill [1-9]/m },
  { limit: "pids", files: ["pids.events"], pattern: /^max [1-9]/m },
] as const;

function limitReached(dirs: readonly string[]): "memoryBytes" | "pids" | null {
  const counts = (file: string, pattern: RegExp) => {
    try {
      return pattern.test(readFileSync(file, "utf8"));
    } catch {
      return false;
    }
  };
  const found = COUNTS.find(({ files, pattern }) =>
    dirs.some((dir) => files.some((file) => counts(join(dir, file), pattern))),
  );
  return found?.limit ?? null;
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
      // The process exited in between.
    }
  }
}

/** Retries, because a group can be removed only a moment after its last process has exited. */
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
