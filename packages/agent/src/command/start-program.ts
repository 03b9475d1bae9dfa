import { spawn } from "node:child_process";
import { keepTail } from "../keep-tail.ts";
import { splitLines } from "./split-lines.ts";

export interface ProgramOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly onLine: (line: string) => void;
}

export interface ProgramEnd {
  /** Null when it was killed or could not be started. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The error code when it could not be started, such as ENOENT; otherwise null. */
  readonly notStarted: string | null;
  readonly stderrTail: string;
}

export interface RunningProgram {
  readonly ended: Promise<ProgramEnd>;
  /** Kills its process group. */
  kill(): void;
}

const STDERR_CHARS = 4_000;
/** How long after the exit its output is read: a process that left the group may hold the output open for ever. */
const OUTPUT_GRACE_MS = 1_000;

/** Starts a program in its own process group. When the program exits, the rest of the group is killed. */
export function startProgram(options: ProgramOptions): RunningProgram {
  try {
    return follow(spawnGroup(options), options);
  } catch (error) {
    // Node throws some errors, such as E2BIG for long arguments, instead of emitting them.
    const notStarted = codeOf(error as NodeJS.ErrnoException);
    return { ended: Promise.resolve({ code: null, signal: null, notStarted, stderrTail: "" }), kill() {} };
  }
}

function spawnGroup({ argv, cwd, env }: ProgramOptions) {
  const [program = "", ...args] = argv;
  return spawn(program, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}

function follow(child: ReturnType<typeof spawnGroup>, options: ProgramOptions): RunningProgram {
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // The process group is gone.
    }
  };
  // Without isolation the sandbox does not end with the runner, so the runner kills the group when it exits.
  process.once("exit", kill);
  const stderrTail = keepTail([child.stderr], STDERR_CHARS);
  splitLines(child.stdout, options.onLine);
  // EPIPE: the program may exit without reading its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin);

  const { promise: ended, resolve } = Promise.withResolvers<ProgramEnd>();
  let notStarted: string | null = null;
  child.on("error", (error: NodeJS.ErrnoException) => {
    notStarted = codeOf(error);
  });
  child.on("exit", () => {
    kill();
    setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, OUTPUT_GRACE_MS).unref();
  });
  child.on("close", (code, signal) => {
    process.removeListener("exit", kill);
    resolve({ code: notStarted === null ? code : null, signal, notStarted, stderrTail: stderrTail() });
  });
  return { ended, kill };
}
