import { join } from "node:path";
import { removeAbandoned } from "./repack.ts";
import { runGit } from "./run-git.ts";

const TIMEOUT_MS = 1_800_000;

/**
 * Removes the objects that no ref holds and that were written before `before` (milliseconds since 1970).
 *
 * First every object without a ref moves into a cruft pack, then the old ones are dropped from it. Git writes an object
 * that lies in a cruft pack again when a commit needs it, so a fetch into the repository meanwhile loses nothing. That
 * holds only if the fetch did not count on a ref that is gone by now: refs are removed after this, and long before the
 * next time.
 */
export async function pruneObjects(dir: string, before: number, signal?: AbortSignal): Promise<void> {
  const repack = (expiration: string) =>
    runGit(["repack", "--cruft", `--cruft-expiration=${expiration}`, "-d", "-l", "--quiet"], {
      cwd: dir,
      config: ["pack.threads=1", "pack.windowMemory=256m"],
      timeoutMs: TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  await repack("never");
  await repack(`@${Math.floor(before / 1_000)}`);
  await removeAbandoned(join(dir, "objects", "pack"));
}
