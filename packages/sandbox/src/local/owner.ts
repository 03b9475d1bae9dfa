import { readFileSync } from "node:fs";

/** A process, told apart from a later one of the same number by when it started. */
export interface Owner {
  readonly pid: number;
  /** Clock ticks since boot; null where /proc does not tell. */
  readonly startedTicks: number | null;
}

/** Field 22 of /proc/<pid>/stat; the name in field 2 may hold spaces and brackets. */
function startOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return null;
  }
}

export function describeProcess(pid: number): Owner {
  return { pid, startedTicks: startOf(pid) };
}

/** Whether that very process is still there. */
export function isRunning(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return owner.startedTicks === null || startOf(owner.pid) === owner.startedTicks;
}
