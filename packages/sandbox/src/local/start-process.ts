import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Exit, SandboxProcess } from "../sandbox.ts";
import { killWhenOver } from "../kill-when-over.ts";

export interface StartOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Folders of the control group that the process puts itself into before it becomes the program. */
  readonly cgroups: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

const JOIN_AND_EXEC =
  'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs" || exit 125; shift; n=$((n-1)); done; exec "$@"';

/** How long after a kill its output is still waited for. */
const LETTING_GO_MS = 1_000;

export interface StartedProcess extends SandboxProcess {
  /** What has gone through its streams so far. */
  bytes(): { readonly in: number; readonly out: number };
}

/** Starts a program in a process group of its own, so that it can be killed with all it has started. */
export function startProcess(options: StartOptions): StartedProcess {
  const { argv, cgroups } = options;
  const [command = "", ...args] =
    cgroups.length === 0
      ? argv
      : ["/bin/sh", "-c", JOIN_AND_EXEC, "sh", String(cgroups.length), ...cgroups, ...argv];
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let closed = false;
  let lettingGo: NodeJS.Timeout | undefined;
  // The program itself may be gone while something that it has started still holds its output.
  const kill = () => {
    if (child.pid === undefined || closed) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It ended in between, or what is left has made itself a group of its own.
    }
    lettingGo ??= setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, LETTING_GO_MS);
  };
  const watch = killWhenOver(options, kill);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => undefined);

  const exit = (async (): Promise<Exit> => {
    try {
      await once(child, "close");
    } catch {
      // It could not be started at all, which shows as an exit without a code.
    }
    closed = true;
    watch[Symbol.dispose]();
    clearTimeout(lettingGo);
    return { code: child.exitCode, signal: child.signalCode, timedOut: watch.timedOut };
  })();
  const { stdin, stdout, stderr } = child;
  // Pipes of a child are sockets, which count.
  const [into, ...outOf] = [stdin, stdout, stderr] as unknown as Socket[];
  const bytes = () => ({
    in: into?.bytesWritten ?? 0,
    out: outOf.reduce((sum, one) => sum + one.bytesRead, 0),
  });
  return { stdin, stdout, stderr, exit, kill, bytes };
}
