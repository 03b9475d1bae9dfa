import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { runGit } from "./run-git.ts";

/** No git takes this long to write a pack. */
const ABANDONED_AFTER_MS = 3_600_000;
const TIMEOUT_MS = 1_800_000;

/**
 * Rolls up a repository's small packs and loose objects into ever larger packs, so that looking up an object stays
 * cheap however many groups were written. Nothing is thrown away, reachable or not, so it may run beside anything
 * that reads and writes there. (git-repack's --geometric, as servers keep their repositories.)
 */
export async function repack(dir: string, signal?: AbortSignal): Promise<void> {
  await runGit(["repack", "--geometric=2", "-d", "-l", "--quiet"], {
    cwd: dir,
    // Landings need the other cores.
    config: ["pack.threads=1"],
    timeoutMs: TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  await removeAbandoned(join(dir, "objects", "pack"));
}

/** Half-written packs of a git that was killed. */
async function removeAbandoned(dir: string): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    if (!/^(?:tmp_|\.tmp-)/.test(name)) continue;
    const file = join(dir, name);
    const found = await stat(file).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) await rm(file, { force: true });
  }
}
