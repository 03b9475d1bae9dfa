import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** A program to keep running. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where its output goes, line by line as it comes. */
  readonly output: (chunk: Buffer) => void;
}

export interface Supervised {
  readonly name: string;
  /** The process id now, or null between two runs. For a guarded program its own, not the guard's. */
  readonly pid: number | null;
  /** How often it was started again. */
  readonly restarts: number;
  /** SIGTERM, and SIGKILL after `graceMs`. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;
const SETTLED_AFTER_MS = 10_000;

/** Keeps a program running: started again after it ends, with a wait that doubles while it keeps failing. */
export function supervise(program: Program, onRestart: (line: string) => void): Supervised {
  let child: ChildProcess | null = null;
  let guarded: number | null = null;
  let stopping = false;
  let restarts = 0;
  let waitMs = FIRST_WAIT_MS;
  let timer: NodeJS.Timeout | undefined;

  const launch = () => {
    const startedAt = Date.now();
    const started = spawn(program.command, program.args, {
      env: program.env,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    child = started;
    started.on("message", (message) => {
      if (typeof message === "object" && "pid" in message) guarded = Number(message.pid);
    });
    started.stdout?.on("data", program.output);
    started.stderr?.on("data", program.output);
    started.on("error", (error) => onRestart(`${program.name} cannot be started: ${error.message}`));
    started.on("exit", (code, signal) => {
      child = null;
      guarded = null;
      if (stopping) return;
      if (Date.now() - startedAt > SETTLED_AFTER_MS) waitMs = FIRST_WAIT_MS;
      onRestart(`${program.name} ended (${signal ?? `exit ${code}`}); starting it again in ${waitMs} ms`);
      restarts += 1;
      timer = setTimeout(launch, waitMs);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    });
  };
  launch();

  return {
    name: program.name,
    get pid() {
      return guarded ?? child?.pid ?? null;
    },
    get restarts() {
      return restarts;
    },
    async stop(graceMs) {
      stopping = true;
      clearTimeout(timer);
      const running = child;
      if (running === null || running.exitCode !== null || running.signalCode !== null) return;
      const exited = once(running, "exit");
      running.kill("SIGTERM");
      const hard = setTimeout(() => running.kill("SIGKILL"), graceMs);
      await exited;
      clearTimeout(hard);
    },
  };
}
