import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { killOnTimeout } from "../kill-on-timeout.ts";
import type { Exit, SandboxProcess } from "../sandbox.ts";

export interface StartOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Folders of the control group that the process joins before it executes the program. */
  readonly cgroups: readonly string[];
  /** What the process reads from descriptors 3 and following. */
  readonly inputs?: readonly Buffer[];
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/**
 * Makes the program the first that the kernel ends when the machine runs out of memory, joins the control groups, and
 * becomes the program.
 */
const JOIN_AND_EXEC =
  '{ echo 1000 > /proc/self/oom_score_adj; } 2>/dev/null; n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs" || exit 125; shift; n=$((n-1)); done; exec "$@"';

/** How long after a kill the rest of the output is waited for. */
const OUTPUT_WAIT_MS = 1_000;

export interface StartedProcess extends SandboxProcess {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Bytes that went through its streams so far. */
  bytes(): { readonly in: number; readonly out: number };
}

/** Starts a program in a process group of its own, so that it can be killed with everything it started. */
export function startProcess(options: StartOptions): StartedProcess {
  const { argv, cgroups, inputs = [] } = options;
  const args = ["-c", JOIN_AND_EXEC, "sh", String(cgroups.length), ...cgroups, ...argv];
  const child = spawn("/bin/sh", args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe", ...inputs.map(() => "pipe" as const)],
  }) as ChildProcessWithoutNullStreams;
  inputs.forEach((input, i) => {
    // A process that ends early leaves them unread.
    const stream = child.stdio[3 + i] as Socket;
    stream.on("error", () => undefined);
    stream.end(input);
    stream.resume();
  });
  let closed = false;
  let outputTimer: NodeJS.Timeout | undefined;
  // The program itself may have exited while a program that it started still holds its output open.
  const kill = () => {
    if (child.pid === undefined || closed) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It exited in between, or the remaining processes made a process group of their own.
    }
    outputTimer ??= setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, OUTPUT_WAIT_MS);
  };
  const watch = killOnTimeout(options, kill);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => undefined);

  const exit = (async (): Promise<Exit> => {
    try {
      await once(child, "close");
    } catch {
      // A program that could not be started exits without a code.
    }
    closed = true;
    watch[Symbol.dispose]();
    clearTimeout(outputTimer);
    return { code: child.exitCode, signal: child.signalCode, timedOut: watch.timedOut };
  })();
  const { stdin, stdout, stderr } = child;
  // The pipes of a child process are sockets, which count bytes.
  const [into, ...outOf] = [stdin, stdout, stderr] as unknown as Socket[];
  const bytes = () => ({
    in: into?.bytesWritten ?? 0,
    out: outOf.reduce((sum, one) => sum + one.bytesRead, 0),
  });
  return { pid: child.pid, stdin, stdout, stderr, exit, kill, bytes };
}
