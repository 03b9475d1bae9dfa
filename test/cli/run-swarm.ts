import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");

export interface RunningCommand {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Starts `swarm` as a process without a terminal; it sees only these settings. */
export function startSwarm(args: readonly string[], env: Readonly<Record<string, string>>): RunningCommand {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (chunk: Buffer) => (printed[name] += chunk.toString()));
  return {
    child,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    ended: once(child, "close").then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals),
  };
}

/** Runs `swarm` to its end. */
export async function runSwarm(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const running = startSwarm(args, env);
  return { code: await running.ended, stdout: running.stdout(), stderr: running.stderr() };
}
