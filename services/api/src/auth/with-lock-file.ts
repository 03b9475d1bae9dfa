import { randomUUID } from "node:crypto";
import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "@agentswarm/contracts";

/** What the lock protects takes milliseconds, so its owner is gone. */
const STALE_MS = 10_000;
const WAIT_MS = 20_000;
const TRY_AGAIN_MS = 25;

/**
 * Runs `work` while no other process does so with the same lock file. Processes may be in several containers that share
 * the folder, so the lock names no process: one that is ten seconds old is taken over. `stillOwned` says whether that has
 * happened meanwhile; ask it before the effect.
 */
export async function withLockFile<T>(
  lock: string,
  work: (stillOwned: () => Promise<boolean>) => Promise<T>,
): Promise<T> {
  const token = randomUUID();
  const stillOwned = async () => (await contentOf(lock)) === token;
  const endsAt = performance.now() + WAIT_MS;
  while (!(await create(lock, token))) {
    if (performance.now() > endsAt)
      throw new Fault("conflict", `${lock} was not free for ${WAIT_MS / 1_000} s`, { retryable: true });
    await removeStale(lock, token);
    await sleep(TRY_AGAIN_MS * (1 + Math.random()));
  }
  try {
    return await work(stillOwned);
  } finally {
    if (await stillOwned()) await rm(lock, { force: true });
  }
}

async function create(lock: string, token: string): Promise<boolean> {
  return writeFile(lock, token, { flag: "wx", mode: 0o600 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );
}

/** Renamed first, so that of several processes only one removes it. */
async function removeStale(lock: string, token: string): Promise<void> {
  const since = await stat(lock).catch(() => null);
  if (since === null || Date.now() - since.mtimeMs < STALE_MS) return;
  const aside = `${lock}.${token}`;
  await rename(lock, aside).catch(ignoreMissing);
  await rm(aside, { force: true });
}

async function contentOf(file: string): Promise<string | null> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    ignoreMissing(error);
    return null;
  });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
