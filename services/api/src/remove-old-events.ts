import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

interface Limits {
  /** Milliseconds since 1970; days before it are removed. */
  readonly before: number;
  readonly bytes: number;
}

/**
 * Removes days of the event archive that are too old, then the oldest ones while the archive is too large. The newest day
 * stays. Resolves with the number of removed days.
 */
export async function removeOldEvents(archiveDir: string, { before, bytes }: Limits): Promise<number> {
  const names = (await readdir(archiveDir).catch(() => []))
    .filter((name) => /^\d{4}-\d\d-\d\d\.jsonl$/.test(name))
    .toSorted();
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(archiveDir, name))).size));
  const oldest = new Date(before).toISOString().slice(0, 10);
  let total = sizes.reduce((sum, size) => sum + size, 0);
  let removed = 0;
  for (const [nth, name] of names.slice(0, -1).entries()) {
    if (name.slice(0, 10) >= oldest && total <= bytes) break;
    await rm(join(archiveDir, name), { force: true });
    total -= sizes[nth] ?? 0;
    removed += 1;
  }
  return removed;
}
