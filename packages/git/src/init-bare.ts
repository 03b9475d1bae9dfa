import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { safeGit } from "./safe-git.ts";

/** A bare repository at `dir`, made if there is none. It appears whole, whoever else makes it at the same time. */
export async function initBare(dir: string): Promise<void> {
  const isThere = () => existsSync(join(dir, "HEAD"));
  if (isThere()) return;
  await mkdir(dirname(dir), { recursive: true });
  const fresh = await mkdtemp(`${dir}.`);
  try {
    // A temporary folder is nobody else's; a repository may be looked at.
    await chmod(fresh, 0o755);
    await safeGit({ cwd: fresh }, (git) => git.init(true));
    await rename(fresh, dir);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Somebody else was faster.
    if (!isThere()) throw error;
  }
}
