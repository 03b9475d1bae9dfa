import { statfs } from "node:fs/promises";
import { Fault } from "@agentswarm/contracts";

/** Room for the bundles of an attempt and what it brings. */
const MIN_FREE_BYTES = 64 * 1024 * 1024;

/**
 * Throws Fault `disk.full` when the disk of a folder has too little room for an attempt: better no agent runs than that its
 * work cannot be kept. A file system that does not say its room has enough.
 */
export async function requireRoom(
  dir: string,
  readFree: (dir: string) => Promise<number> = freeBytes,
): Promise<void> {
  const free = await readFree(dir).catch(() => Infinity);
  if (free >= MIN_FREE_BYTES) return;
  throw new Fault(
    "disk.full",
    `${dir} has ${Math.floor(free / 1024 / 1024)} MiB of free space, less than the ${MIN_FREE_BYTES / 1024 / 1024} MiB that an attempt needs: free space on the disk of SWARM_HOME`,
  );
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
