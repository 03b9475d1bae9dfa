import { randomUUID } from "node:crypto";
import { link, readFile, rm, stat, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describeProcess, ownerSchema, ownerState } from "@agentswarm/sandbox";

const WAIT_MS = 100;
/** A lock of another host, whose processes cannot be looked up here, is taken over at this age. */
const OTHER_HOST_LOCK_MS = 3_600_000;

/**
 * Takes a lock file that all processes respect. The lock is taken over when its owner is gone; its pid alone does not
 * tell, because a service that is killed and restarted in a container often gets the same pid again.
 */
export async function waitForTurn(file: string): Promise<AsyncDisposable> {
  const mine = `${file}.${randomUUID()}`;
  await writeFile(mine, JSON.stringify(describeProcess(process.pid)));
  try {
    for (;;) {
      try {
        // The file appears with its content or not at all.
        await link(mine, file);
        return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      if (await isAbandoned(file)) await rm(file, { force: true });
      else await sleep(WAIT_MS);
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
    // A missing file was released in between; one that cannot be read has no known owner.
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
