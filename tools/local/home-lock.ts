import { randomUUID } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import { closeHome } from "@agentswarm/service";
import { describeProcess, ownerSchema, ownerState, type Owner } from "@agentswarm/contracts/node";

const TRIES = 2;

/**
 * Locks SWARM_HOME for one supervisor, because two would start two Redis servers on the same files. The lock of a
 * process that no longer runs is taken over; its start time tells it from another process with the same pid. Returns
 * the release. Throws Fault `config.invalid` while another supervisor runs.
 */
export async function lockHome(home: string): Promise<() => Promise<void>> {
  await closeHome(home);
  const file = join(home, "supervisor.pid");
  const mine = `${file}.${randomUUID()}`;
  await writeFile(mine, JSON.stringify(describeProcess(process.pid)));
  try {
    for (let tries = 0; tries < TRIES; tries += 1) {
      try {
        // `link` creates the file with its content or not at all.
        await link(mine, file);
        return () => rm(file, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const owner = await readOwner(file);
      if (owner !== null) {
        const state = owner.pid === process.pid ? "gone" : ownerState(owner);
        const holder = `process ${owner.pid} of host ${owner.host}`;
        if (state === "running")
          throw new Fault(
            "config.invalid",
            `SWARM_HOME ${home} is in use by ${holder}; stop it, or set SWARM_HOME to another folder`,
          );
        if (state === "unknown")
          throw new Fault(
            "config.invalid",
            `SWARM_HOME ${home} is locked by ${holder}, which is not this host; stop it there, or remove ${file} if it no longer runs`,
          );
      }
      await rm(file, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
  throw new Fault(
    "config.invalid",
    `SWARM_HOME ${home} was locked by another process just now; set SWARM_HOME to another folder`,
  );
}

/** Null when the lock has been released meanwhile or cannot be read. A bare number is the pid of an older version. */
async function readOwner(file: string): Promise<Owner | null> {
  try {
    const found: unknown = JSON.parse(await readFile(file, "utf8"));
    return ownerSchema.parse(typeof found === "number" ? { pid: found, startedTicks: null } : found);
  } catch {
    return null;
  }
}
