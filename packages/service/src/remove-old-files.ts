import { readdir, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Files that one call removes at most; the next call goes on. */
const MOST = 20_000;

/**
 * Removes the files of a folder and of its subfolders that were last written before `before` (milliseconds since 1970),
 * and the subfolders that become empty. Returns the number of removed files. A folder that does not exist has none.
 */
export async function removeOldFiles(dir: string, before: number, most = MOST): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    if (removed >= most) break;
    const path = join(dir, entry.name);
    if (entry.isDirectory()) {
      removed += await removeOldFiles(path, before, most - removed);
      // Fails while a file is left.
      await rmdir(path).catch(() => undefined);
    } else {
      const found = await stat(path).catch(() => null);
      if (found === null || found.mtimeMs >= before) continue;
      await rm(path, { force: true });
      removed += 1;
    }
  }
  return removed;
}
