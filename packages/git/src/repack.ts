import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { runGit } from "./run-git.ts";

/** Longer than git takes to write any pack. */
const ABANDONED_AFTER_MS = 3_600_000;
const TIMEOUT_MS = 1_800_000;

/**
 * Merges a repository's small packs and loose objects into larger packs, because every pack makes object lookups slower.
 * No object is removed, reachable or not, so this may run beside readers and writers. (git-repack --geometric, as git
 * hosts use it.)
 */
export async function repack(dir: string, signal?: AbortSignal): Promise<void> {
  await runGit(["repack", "--geometric=2", "-d", "-l", "--quiet"], {
    cwd: dir,
    // Landings need the other cores.
    config: ["pack.threads=1", "pack.windowMemory=256m"],
    timeoutMs: TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  await removeAbandoned(join(dir, "objects", "pack"));
}

/** Removes half-written packs of a killed git. `dir`: the folder of packs. */
export async function removeAbandoned(dir: string): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    if (!/^(?:tmp_|\.tmp-)/.test(name)) continue;
    const file = join(dir, name);
    const found = await stat(file).catch(() => null);
    if (found !== null && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) await rm(file, { force: true });
  }
}
