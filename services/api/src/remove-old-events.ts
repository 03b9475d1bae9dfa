import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@agentswarm/service";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Removes the days of the event archive that are older than EVENT_ARCHIVE_DAYS, now and every hour. */
export function keepArchiveSmall(archiveDir: string, days: number, log: Logger): Disposable {
  const remove = () => {
    removeOldEvents(archiveDir, Date.now() - days * DAY_MS).catch((error: unknown) =>
      log.error({ err: error }, "old events could not be removed"),
    );
  };
  remove();
  const timer = setInterval(remove, HOUR_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Removes the files of the days before `before`, milliseconds since 1970. */
export async function removeOldEvents(archiveDir: string, before: number): Promise<void> {
  const oldest = new Date(before).toISOString().slice(0, 10);
  for (const name of await readdir(archiveDir).catch(() => [])) {
    if (/^\d{4}-\d\d-\d\d\.jsonl$/.test(name) && name.slice(0, 10) < oldest)
      await rm(join(archiveDir, name), { force: true });
  }
}
