import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CgroupFigures } from "../cgroup-figures.ts";
import { openRunningProcesses } from "../running-processes.ts";
import { runToEnd } from "../run-to-end.ts";
import { DEFAULT_SANDBOX_LIMITS, type ExecOptions, type Sandbox, type SandboxSpec } from "../sandbox.ts";
import { bubblewrapArgs, WORK } from "./bubblewrap.ts";
import type { ControlGroups } from "./cgroup.ts";
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
  const limits = { ...DEFAULT_SANDBOX_LIMITS, ...spec.limits };
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

  const exec = (argv: readonly string[], options: ExecOptions = {}): StartedProcess => {
    const cwd = join(workDir, options.cwd ?? ".");
    const env = { ...options.env };
    const child =
      host.bwrap === null
        ? startProcess({
            argv,
            cwd,
            env: unisolatedEnv(host.toolchain, work, env),
            cgroups: group.dirs,
            signal: options.signal,
            timeoutMs: options.timeoutMs,
          })
        : startProcess({
            argv: [
              host.bwrap,
              ...bubblewrapArgs({ work, etc: host.etc, mounts, toolchain: host.toolchain }, { cwd, env }),
              ...argv,
            ],
            cwd: "/",
            env: {},
            cgroups: group.dirs,
            signal: options.signal,
            timeoutMs: options.timeoutMs,
          });
    return running.add(child);
  };

  const readyMs = performance.now() - startedAt;
  let used: CgroupFigures | undefined;
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
      return { readyMs, ...(used ?? group.figures()), ...running.figures(), costUsd: 0 };
    },
    terminate() {
      ended ??= (async () => {
        clearTimeout(deadline);
        const exits = running.ended();
        killAll();
        await exits;
        used = group.figures();
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
