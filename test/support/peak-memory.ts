import { readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";

const STOPPED_MIB = 1_024;

/**
 * The largest resident memory, in MiB, of any git process that this process starts while `run` lasts. 0 where there is no
 * /proc. A git process that exceeds STOPPED_MIB is killed, so that an attack that succeeds does not fill this machine.
 */
export async function peakOfGit(run: () => Promise<unknown>): Promise<number> {
  let isRunning = true;
  let peak = 0;
  const watch = async () => {
    while (isRunning) {
      for (const pid of listProcesses()) {
        const used = peakOfChild(pid);
        peak = Math.max(peak, used);
        if (used > STOPPED_MIB) stop(Number(pid));
      }
      await setTimeout(5);
    }
  };
  const watching = watch();
  try {
    await run();
  } finally {
    isRunning = false;
    await watching;
  }
  return peak;
}

function stop(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function listProcesses(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function peakOfChild(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? "";
    const isOurs = field("Name") === "git" && field("PPid") === `${process.pid}`;
    return isOurs ? Number(field("VmHWM")) / 1024 : 0;
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}
