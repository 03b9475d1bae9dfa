import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Git holds a ref's lock for milliseconds. A lock of this age was left by a killed git. */
export const LOCKS_STALE_AFTER_MS = 60_000;

/**
 * Removes lock files that a killed git left in a repository. Call it before our own git runs there. In a repository that
 * others use too, pass an age that no held lock reaches. Returns the paths of the removed files.
 */
export async function recoverLocks(dir: string, olderThanMs = 0): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true }).catch(() => []);
  const removed: string[] = [];
  for (const entry of entries) {
    if (!entry.endsWith(".lock") && entry !== "packed-refs.new") continue;
    const path = join(dir, entry);
    const found = await stat(path).catch(() => null);
    if (!found?.isFile() || Date.now() - found.mtimeMs < olderThanMs) continue;
    await rm(path, { force: true });
    removed.push(entry);
  }
  return removed;
}
