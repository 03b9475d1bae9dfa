import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { safeGit } from "./safe-git.ts";

/** Makes a bare repository at `dir` if there is none. It appears complete, also when several processes make it at once. */
export async function initBare(dir: string): Promise<void> {
  const exists = () => existsSync(join(dir, "HEAD"));
  if (exists()) return;
  await mkdir(dirname(dir), { recursive: true });
  const fresh = await mkdtemp(`${dir}.`);
  try {
    // A temporary folder is private; others may read a repository.
    await chmod(fresh, 0o755);
    await safeGit({ cwd: fresh }, (git) => git.init(true));
    await rename(fresh, dir);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process was faster.
    if (!exists()) throw error;
  }
}
