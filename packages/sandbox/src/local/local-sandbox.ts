import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openRunningProcesses } from "../running-processes.ts";
import { runToEnd } from "../run-to-end.ts";
import { DEFAULT_SANDBOX_LIMITS, type ExecOptions, type Sandbox, type SandboxSpec } from "../sandbox.ts";
import { bubblewrapArgs, WORK } from "./bubblewrap.ts";
import type { ControlGroups } from "./cgroup.ts";
import { removeRecorded, rewriteRecord, writeRecord } from "./record.ts";
import { startProcess, type StartedProcess } from "./start-process.ts";
import type { Toolchain } from "./toolchain.ts";

/** What a local provider gives to each of its sandboxes. */
export interface LocalHost {
  /** bubblewrap's path; null runs programs without isolation. */
  readonly bwrap: string | null;
  readonly etc: string;
  readonly toolchain: Toolchain;
  readonly cgroups: ControlGroups;
}

/** The name of a sandbox's control group. */
export function groupOf(id: string): string {
  return `swarm-${id}`;
}

/** Opens a sandbox in a folder of the host, `id` under `root`. */
export async function openLocalSandbox(
  host: LocalHost,
  root: string,
  id: string,
  spec: SandboxSpec,
): Promise<Sandbox> {
  const askedAt = performance.now();
  const work = join(root, id, "work");
  const limits = { ...DEFAULT_SANDBOX_LIMITS, ...spec.limits };
  const mounts = spec.mounts ?? [];
  writeRecord(root, id, spec.labels);
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

  const readyMs = performance.now() - askedAt;
  let used: ReturnType<typeof group.used> | undefined;
  let ended: Promise<void> | undefined;
  return {
    id,
    workDir,
    exec,
    run: (argv, options) => runToEnd(exec(argv, options)),
    async label(labels) {
      rewriteRecord(root, id, labels);
    },
    async figures() {
      return { readyMs, ...(used ?? group.used()), ...running.figures(), costUsd: 0 };
    },
    terminate() {
      ended ??= (async () => {
        clearTimeout(deadline);
        const exits = running.ended();
        killAll();
        await exits;
        used = group.used();
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
