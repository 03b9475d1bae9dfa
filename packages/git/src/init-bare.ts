import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { simpleGit } from "simple-git";

/** A bare repository at `dir`, made if there is none. */
export async function initBare(dir: string): Promise<void> {
  if (existsSync(join(dir, "HEAD"))) return;
  await mkdir(dir, { recursive: true });
  await simpleGit(dir).init(true);
}
