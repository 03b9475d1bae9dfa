import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runGit } from "@agentswarm/git";
import { openQueue } from "@agentswarm/queue";
import type { BackupSettings } from "./config.ts";
import { FOLDERS, REDIS_DUMP, REPOSITORIES, tar, VOLUMES } from "./volumes.ts";

const POLL_MS = 100;

/**
 * Writes the archive of a running swarm to stdout. Redis is saved before git: landings that only git has are found to
 * have landed already, while a ledger with landings that git lacks would be wrong.
 */
export async function saveSwarm(work: string, settings: BackupSettings): Promise<void> {
  await dumpRedis(settings, join(work, REDIS_DUMP));
  for (const [name, path] of Object.entries(REPOSITORIES)) {
    const dir = join(VOLUMES, path);
    if (!existsSync(join(dir, "HEAD"))) continue;
    // The folder belongs to the user of the services, so git would refuse it.
    const options = { cwd: dir, config: ["safe.directory=*"] };
    const { stdout } = await runGit(["for-each-ref", "--count=1"], options);
    if (stdout === "") continue;
    await runGit(["bundle", "create", "--quiet", join(work, `${name}.bundle`), "--all"], options);
  }
  await tar(["-cf", "-", "-C", work, ".", "-C", VOLUMES, ...FOLDERS]);
}

/** Makes Redis write a snapshot beside its append-only file, and copies it. */
async function dumpRedis({ REDIS_URL, QUEUE_PREFIX }: BackupSettings, to: string): Promise<void> {
  await using connection = await openQueue({
    redisUrl: REDIS_URL,
    prefix: QUEUE_PREFIX,
    service: "backup",
  });
  const { redis } = connection;
  const savedAt = async () => Number(await redis.lastsave());
  const before = await savedAt();
  // LASTSAVE counts in whole seconds.
  while (Number((await redis.time())[0]) <= before) await sleep(POLL_MS);
  await redis.bgsave();
  while ((await savedAt()) <= before) await sleep(POLL_MS);
  await copyFile(join(VOLUMES, "redis", "dump.rdb"), to);
}
