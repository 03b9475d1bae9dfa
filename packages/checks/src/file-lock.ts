import { randomUUID } from "node:crypto";
import { link, readFile, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describeProcess, ownerSchema, ownerState } from "@agentswarm/contracts/node";

const POLL_MS = 100;
/** A lock of another host, whose processes cannot be looked up here, is taken over at this age. */
const OTHER_HOST_LOCK_MS = 3_600_000;

/**
 * Waits for a lock file and takes it. Dispose of the result to release it. All processes that share the file system
 * respect the lock. A lock whose owner has ended is taken over; its pid alone would not show this, because a restarted
 * container often gives the same pid to the new process.
 */
export async function takeFileLock(file: string): Promise<AsyncDisposable> {
  const mine = `${file}.${randomUUID()}`;
  await writeFile(mine, JSON.stringify(describeProcess(process.pid)));
  try {
    for (;;) {
      try {
        // `link` is atomic: the lock file never exists without its content.
        await link(mine, file);
        return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      if (await isAbandoned(file)) await rm(file, { force: true });
      else await sleep(POLL_MS);
    }
  } finally {
    await rm(mine, { force: true });
  }
}

async function isAbandoned(file: string): Promise<boolean> {
  try {
    const owner = ownerSchema.safeParse(parseJson(await readFile(file, "utf8")));
    if (!owner.success) return true;
    const state = ownerState(owner.data);
    // The change time is the time of the link, that is when the lock was taken.
    return state === "unknown"
      ? Date.now() - (await stat(file)).ctimeMs > OTHER_HOST_LOCK_MS
      : state === "gone";
  } catch (error) {
    // ENOENT: the lock was released in between. A lock file that cannot be read has no known owner.
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
