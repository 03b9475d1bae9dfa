import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** A program that the supervisor keeps running. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Receives its output, in chunks. */
  readonly output: (chunk: Buffer) => void;
}

export interface Supervised {
  readonly name: string;
  /** The present process id, or null between two runs. For a guarded program its own id, not the guard's. */
  readonly pid: number | null;
  /** The number of restarts. */
  readonly restarts: number;
  /** Sends SIGTERM, and SIGKILL after `graceMs`. Resolves when the program has exited. */
  stop(graceMs: number): Promise<void>;
}

const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 10_000;
const STABLE_AFTER_MS = 10_000;

/** Keeps a program running: restarts it after it exits, with a delay that doubles while it keeps failing. */
export function supervise(program: Program, onRestart: (line: string) => void): Supervised {
  let child: ChildProcess | null = null;
  let guarded: number | null = null;
  let stopping = false;
  let restarts = 0;
  let delayMs = FIRST_DELAY_MS;
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
    started.on("error", (error) =>
      onRestart(`${program.name} cannot be started (${program.command}): ${error.message}`),
    );
    started.on("exit", (code, signal) => {
      child = null;
      guarded = null;
      if (stopping) return;
      if (Date.now() - startedAt > STABLE_AFTER_MS) delayMs = FIRST_DELAY_MS;
      onRestart(`${program.name} exited (${signal ?? `exit code ${code}`}); restarting it in ${delayMs} ms`);
      restarts += 1;
      timer = setTimeout(launch, delayMs);
      delayMs = Math.min(delayMs * 2, MAX_DELAY_MS);
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
