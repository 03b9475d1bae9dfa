import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { QueueConnection } from "@agentswarm/queue";
import type { Logger } from "@agentswarm/service";
import type { Settings } from "./config.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MEGABYTE = 1_000_000;

interface Limits {
  /** Milliseconds since 1970; days before it are removed. */
  readonly before: number;
  readonly bytes: number;
}

/** Keeps the event archive within EVENT_ARCHIVE_DAYS and EVENT_ARCHIVE_MB, now and every hour. */
export function keepArchiveSmall(
  connection: QueueConnection,
  archiveDir: string,
  settings: Pick<Settings, "EVENT_ARCHIVE_DAYS" | "EVENT_ARCHIVE_MB">,
  log: Logger,
): Disposable {
  const remove = async () => {
    const before = (await connection.now()) - settings.EVENT_ARCHIVE_DAYS * DAY_MS;
    const removed = await removeOldEvents(archiveDir, {
      before,
      bytes: settings.EVENT_ARCHIVE_MB * MEGABYTE,
    });
    if (removed.length > 0) log.info({ removed }, "old days of the event archive were removed");
  };
  const tryRemove = () =>
    void remove().catch((error: unknown) => log.error({ err: error }, "old events could not be removed"));
  tryRemove();
  const timer = setInterval(tryRemove, HOUR_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Removes days that are too old, then the oldest ones while the archive is too large. The newest day stays. */
export async function removeOldEvents(archiveDir: string, { before, bytes }: Limits): Promise<string[]> {
  const names = (await readdir(archiveDir).catch(() => []))
    .filter((name) => /^\d{4}-\d\d-\d\d\.jsonl$/.test(name))
    .toSorted();
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(archiveDir, name))).size));
  const oldest = new Date(before).toISOString().slice(0, 10);
  let total = sizes.reduce((sum, size) => sum + size, 0);
  const removed: string[] = [];
  for (const [nth, name] of names.slice(0, -1).entries()) {
    if (name.slice(0, 10) >= oldest && total <= bytes) break;
    await rm(join(archiveDir, name), { force: true });
    total -= sizes[nth] ?? 0;
    removed.push(name);
  }
  return removed;
}
