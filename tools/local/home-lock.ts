import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Claims SWARM_HOME for one supervisor: two would start two Redis servers on the same files. A lock left behind
 * by a dead process is taken over. Returns the release.
 */
export async function lockHome(home: string): Promise<() => Promise<void>> {
  await mkdir(home, { recursive: true });
  const file = join(home, "supervisor.pid");
  for (let tries = 0; tries < 2; tries += 1) {
    try {
      await writeFile(file, String(process.pid), { flag: "wx" });
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const pid = Number(await readFile(file, "utf8").catch(() => "0"));
      if (pid > 0 && pid !== process.pid && isAlive(pid)) {
        throw new Fault(
          "config.invalid",
          `SWARM_HOME ${home} is in use by process ${pid}; stop it, or set SWARM_HOME to another folder`,
        );
      }
      await rm(file, { force: true });
    }
  }
  throw new Fault(
    "config.invalid",
    `SWARM_HOME ${home} is being claimed by another process; set another folder`,
  );
}
