import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Removes lock files that a killed git left in a repository only this process uses. Call it before any git runs
 * there. Returns what was removed.
 */
export async function recoverLocks(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true }).catch(() => []);
  const removed: string[] = [];
  for (const entry of entries) {
    if (!entry.endsWith(".lock")) continue;
    const path = join(dir, entry);
    const found = await stat(path).catch(() => null);
    if (!found?.isFile()) continue;
    await rm(path, { force: true });
    removed.push(entry);
  }
  return removed;
}
