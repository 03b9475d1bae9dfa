import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

export interface ProcessGroups {
  /** Runs Node with these arguments to its end. Resolves to its exit code, or to null when a signal ended it. */
  run(args: readonly string[]): Promise<number | null>;
  /** Ends all running programs with SIGTERM, and with SIGKILL after `graceMs`. Nothing is started afterwards. */
  stop(graceMs: number): Promise<void>;
}

/** Runs programs in process groups of their own, so that `stop` also ends the processes that they started. */
export function openProcessGroups(): ProcessGroups {
  const running = new Map<number, Promise<unknown>>();
  let stopped = false;
  return {
    async run(args) {
      if (stopped) return null;
      const child = spawn(process.execPath, args, {
        stdio: ["ignore", "inherit", "inherit"],
        detached: true,
      });
      const ended = once(child, "exit");
      if (child.pid !== undefined) running.set(child.pid, ended);
      const [code] = (await ended) as [number | null];
      // The group outlives its first process while another one runs; the pid is not given out again before.
      if (!stopped && child.pid !== undefined) running.delete(child.pid);
      return code;
    },
    async stop(graceMs) {
      stopped = true;
      for (const group of running.keys()) signalGroup(group, "SIGTERM");
      await Promise.race([Promise.allSettled(running.values()), sleep(graceMs)]);
      for (const group of running.keys()) signalGroup(group, "SIGKILL");
    },
  };
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
