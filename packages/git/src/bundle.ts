import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { runGit } from "./run-git.ts";

/** How many landings share one full bundle. */
const CHECKPOINT_EVERY = 50;

/** A commit with its history, as files to be carried into a sandbox. */
export interface Bundles {
  /** The history up to the checkpoint; shared by all commits of the same stretch. */
  readonly full: string;
  /** From the checkpoint up to the commit; null when the commit is the checkpoint. */
  readonly thin: string | null;
}

/**
 * Bundles for a commit, kept in `cacheDir`: a full one per stretch of 50 first-parent commits, so that it is made
 * and read rarely, and a thin one for what came since.
 */
export async function bundleFor(options: {
  repoDir: string;
  commit: string;
  cacheDir: string;
}): Promise<Bundles> {
  const { repoDir, commit, cacheDir } = options;
  await mkdir(cacheDir, { recursive: true });
  const { stdout } = await runGit(["rev-list", "--first-parent", "--count", "--end-of-options", commit], {
    cwd: repoDir,
  });
  const back = (Number(stdout) - 1) % CHECKPOINT_EVERY;
  const checkpoint = (
    await runGit(["rev-parse", "--verify", `${commit}~${back}`], { cwd: repoDir })
  ).stdout.trim();
  const full = await makeBundle(repoDir, checkpoint, null, join(cacheDir, `full-${checkpoint}.bundle`));
  if (back === 0) return { full, thin: null };
  return {
    full,
    thin: await makeBundle(repoDir, commit, checkpoint, join(cacheDir, `thin-${commit}.bundle`)),
  };
}

/**
 * A bundle of `commit` without what `base` has, made once. Its header is written here (gitformat-bundle, version 2):
 * `git bundle` wants a ref to name, and a ref would have to be made in a repository that may be the user's own.
 */
export async function makeBundle(
  repoDir: string,
  commit: string,
  base: string | null,
  file: string,
): Promise<string> {
  if (existsSync(file)) return file;
  const fresh = `${file}.${randomUUID()}`;
  const wanted = base === null ? `${commit}\n` : `${commit}\n^${base}\n`;
  const needs = base === null ? "" : `-${base} \n`;
  const out = await open(fresh, "wx");
  try {
    await out.write(`# v2 git bundle\n${needs}${commit} refs/bundled/commit\n\n`);
    await runGit(["pack-objects", "--revs", "--thin", "--quiet", "--stdout"], {
      cwd: repoDir,
      input: wanted,
      outputTo: out.fd,
    });
    await rename(fresh, file);
  } finally {
    await out.close();
    await rm(fresh, { force: true });
  }
  return file;
}
