import { randomUUID } from "node:crypto";
import { readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";

/** An installation, or a removal, that a process did not finish. */
const UNFINISHED = /\.[0-9a-f-]{36}(?:\.lock)?$/;
/** Longer than an installation takes. */
const UNFINISHED_KEPT_MS = 24 * 3_600_000;

/** Notes that a folder is in use now. False: there is no such folder. */
export async function noteUse(dir: string): Promise<boolean> {
  const now = new Date();
  return utimes(dir, now, now).then(
    () => true,
    () => false,
  );
}

/**
 * Removes the folders of installed dependencies whose last use was before `before` (milliseconds since 1970), and what
 * dead processes left. Returns the number of removed folders.
 */
export async function removeUnused(root: string, before: number): Promise<number> {
  let removed = 0;
  for (const name of await readdir(root).catch(() => [])) {
    const path = join(root, name);
    const isUnfinished = UNFINISHED.test(name) || name.endsWith(".lock");
    const usedBefore = isUnfinished ? Date.now() - UNFINISHED_KEPT_MS : before;
    if (await wasUsedSince(path, usedBefore)) continue;
    if (isUnfinished) {
      await rm(path, { recursive: true, force: true });
      continue;
    }
    // Another process may note a use between the look and the removal, so the folder is looked at again when nobody can.
    const taken = `${path}.${randomUUID()}`;
    await rename(path, taken);
    if (await wasUsedSince(taken, usedBefore)) {
      await rename(taken, path);
      continue;
    }
    await rm(taken, { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

async function wasUsedSince(path: string, time: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found === null || found.mtimeMs >= time;
}
