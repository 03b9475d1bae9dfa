import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CgroupFigures } from "../cgroup-figures.ts";
import { openRunningProcesses } from "../running-processes.ts";
import { runToEnd } from "../run-to-end.ts";
import {
  DEFAULT_SANDBOX_LIMITS,
  type ExecOptions,
  type Sandbox,
  type SandboxLimits,
  type SandboxSpec,
} from "../sandbox.ts";
import { bubblewrapArgs, bubblewrapCommand, memoryFolders, WORK } from "./bubblewrap.ts";
import type { ControlGroups } from "./cgroup.ts";
import type { LimitWatcher, WatchedLimit } from "./limits/watch-limits.ts";
import { withRlimits } from "./limits/rlimits.ts";
import { removeRecorded, replaceRecord, writeRecord } from "./sandbox-record.ts";
import { startProcess, type StartedProcess } from "./start-process.ts";
import type { Toolchain } from "./toolchain.ts";

/** What all sandboxes of a local provider share. */
export interface LocalHost {
  /** Path of bubblewrap; without it (null) programs run without isolation. */
  readonly bwrap: string | null;
  readonly etc: string;
  readonly toolchain: Toolchain;
  readonly cgroups: ControlGroups;
  /** The filter of system calls; null where it cannot be made. */
  readonly filter: Buffer | null;
  readonly watcher: LimitWatcher;
  /** Whether memory and processes are measured, because no control group limits them. */
  readonly measuresProcesses: boolean;
  /** Returns the start of a command that sets the processors of a program. */
  readonly pinTo: (cpus: number) => readonly string[];
  /** Of SANDBOX_DISK_BYTES. */
  readonly diskBytes: number;
}

/** Returns the name of a sandbox's control group. */
export function groupOf(id: string): string {
  return `swarm-${id}`;
}

/** Opens a sandbox whose folder is `id` under `root`. */
export async function openLocalSandbox(
  host: LocalHost,
  root: string,
  id: string,
  spec: SandboxSpec,
): Promise<Sandbox> {
  const startedAt = performance.now();
  const work = join(root, id, "work");
  const limits = { ...DEFAULT_SANDBOX_LIMITS, diskBytes: host.diskBytes, ...spec.limits };
  const mounts = spec.mounts ?? [];
  const endsAt = Date.now() + limits.wallMs;
  writeRecord(root, id, spec.labels, endsAt);
  await mkdir(work, { recursive: true });
  const group = await host.cgroups.create(groupOf(id), limits);
  const running = openRunningProcesses<StartedProcess>();
  const workDir = host.bwrap === null ? work : WORK;
  if (host.bwrap === null) await linkMounts(work, mounts);

  const deadline = setTimeout(() => killAll(), limits.wallMs);
  const killAll = () => {
    running.kill();
    group.kill();
  };
  const pids = new Map<StartedProcess, number>();
  let overrun: WatchedLimit | null = null;
  const watch = host.watcher.watch({
    limits,
    folder: work,
    measuresProcesses: host.measuresProcesses,
    roots: () => [...pids.values()],
    memoryFolders: host.bwrap === null ? new Map() : memoryFolders(limits.memoryBytes),
    onOverrun(limit) {
      overrun = limit;
      killAll();
    },
  });
  const pin = host.pinTo(limits.cpus);

  const exec = (argv: readonly string[], options: ExecOptions = {}): StartedProcess => {
    const cwd = join(workDir, options.cwd ?? ".");
    const env = { ...options.env };
    const command = host.bwrap === null ? plain(argv, cwd, env) : isolated(host.bwrap, argv, cwd, env);
    const child = startProcess({
      ...command,
      cgroups: group.dirs,
      signal: options.signal,
      timeoutMs: options.timeoutMs,
    });
    if (child.pid !== undefined) pids.set(child, child.pid);
    void child.exit.then(() => pids.delete(child));
    if (overrun !== null) child.kill();
    return running.add(child);
  };
  const plain = (argv: readonly string[], cwd: string, env: Record<string, string>) => ({
    argv,
    cwd,
    env: unisolatedEnv(host.toolchain, work, env),
  });
  const isolated = (bwrap: string, argv: readonly string[], cwd: string, env: Record<string, string>) => {
    const { etc, toolchain, filter } = host;
    const box = { work, etc, mounts, toolchain, memoryBytes: limits.memoryBytes };
    const { argv: start, inputs } = bubblewrapCommand(bwrap, bubblewrapArgs(box, { cwd, env }), filter);
    const program = withRlimits(argv, limits, host.measuresProcesses);
    return { argv: [...pin, ...start, ...program], inputs, cwd: "/", env: {} };
  };

  const readyMs = performance.now() - startedAt;
  let used: CgroupFigures | undefined;
  let refused: keyof SandboxLimits | null = null;
  let ended: Promise<void> | undefined;
  return {
    id,
    workDir,
    exec,
    run: (argv, options) => runToEnd(exec(argv, options)),
    async label(labels) {
      replaceRecord(root, id, labels, endsAt);
    },
    async figures() {
      const counted = used ?? group.figures();
      // Without control groups the peak is the highest that was measured.
      const memoryPeakBytes = counted.memoryPeakBytes ?? watch.memoryPeakBytes();
      return { readyMs, ...counted, memoryPeakBytes, ...running.figures(), costUsd: 0 };
    },
    reached: () => overrun ?? refused ?? group.reached(),
    terminate() {
      ended ??= (async () => {
        clearTimeout(deadline);
        watch[Symbol.dispose]();
        const exits = running.ended();
        killAll();
        await exits;
        used = group.figures();
        refused = group.reached();
        await group.remove();
        await removeRecorded(root, id);
      })();
      return ended;
    },
  };
}

async function linkMounts(work: string, mounts: readonly { from: string; at: string }[]): Promise<void> {
  for (const mount of mounts) {
    const at = join(work, mount.at);
    await mkdir(dirname(at), { recursive: true });
    await symlink(mount.from, at);
  }
}

function unisolatedEnv(toolchain: Toolchain, work: string, env: Record<string, string>): NodeJS.ProcessEnv {
  const dirs = [...new Set(toolchain.tools.map((tool) => dirname(tool.path)))];
  const path = [...dirs, join(work, "node_modules/.bin"), "/usr/local/bin", "/usr/bin", "/bin"].join(":");
  return { PATH: path, HOME: join(dirname(work), "home"), LANG: "C.UTF-8", ...env };
}
