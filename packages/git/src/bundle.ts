import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, rename, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { runGit } from "./run-git.ts";

/** How many landings share one full bundle. */
const CHECKPOINT_EVERY = 50;
/** Of a thin bundle: its version and the commit that it is based on. */
const HEADER_BYTES = 64;

/** A commit with its history, as bundle files for a sandbox. */
export interface Bundles {
  /** The history up to the checkpoint, shared by all commits up to the next checkpoint. */
  readonly full: string;
  /** The history from the checkpoint to the commit; null when the commit is the checkpoint. */
  readonly thin: string | null;
}

/**
 * Makes the bundles of a commit and caches them in `cacheDir`. A full bundle is made once per 50 first-parent commits,
 * because it is expensive to make and to read; a thin bundle holds the commits since.
 */
export async function bundleFor(options: {
  repoDir: string;
  commit: string;
  cacheDir: string;
}): Promise<Bundles> {
  const { repoDir, commit, cacheDir } = options;
  await mkdir(cacheDir, { recursive: true });
  const fullOf = (checkpoint: string) => join(cacheDir, `full-${checkpoint}.bundle`);
  const thinFile = join(cacheDir, `thin-${commit}.bundle`);
  const checkpoint =
    (await readBase(thinFile)) ??
    (existsSync(fullOf(commit)) ? commit : await findCheckpoint(repoDir, commit));
  const full = await makeBundle(repoDir, checkpoint, null, fullOf(checkpoint));
  if (checkpoint === commit) return { full, thin: null };
  return { full, thin: await makeBundle(repoDir, commit, checkpoint, thinFile) };
}

/** The checkpoint that a thin bundle is based on, so that git is asked once for all services; null: there is no such file. */
async function readBase(file: string): Promise<string | null> {
  const found = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (found === null) return null;
  try {
    const { buffer, bytesRead } = await found.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    return /^# v2 git bundle\n-([0-9a-f]{40}) \n/.exec(buffer.toString("latin1", 0, bytesRead))?.[1] ?? null;
  } finally {
    await found.close();
  }
}

/** How many first parents a commit has, by repository and commit: this never changes. */
const depths = new Map<string, number>();
const MAX_DEPTHS = 10_000;

/** Usually a commit among the last ones is known, so one git process answers, and it does not read the whole history. */
async function findCheckpoint(repoDir: string, commit: string): Promise<string> {
  const list = async (...how: string[]) => {
    const args = ["rev-list", "--first-parent", ...how, "--end-of-options", commit];
    return (await runGit(args, { cwd: repoDir })).stdout.trim().split("\n");
  };
  const keyOf = (one: string) => `${repoDir}\0${one}`;
  const last = await list(`--max-count=${CHECKPOINT_EVERY}`);
  const at = last.findIndex((one) => depths.has(keyOf(one)));
  const known = depths.get(keyOf(last[at] ?? ""));
  const depth = known === undefined ? Number((await list("--count"))[0]) - 1 : known + at;
  if (depths.size >= MAX_DEPTHS) depths.clear();
  depths.set(keyOf(commit), depth);
  return last[depth % CHECKPOINT_EVERY] ?? commit;
}

/**
 * Makes a bundle of `commit` without the history of `base`, unless `file` exists. The header is written here
 * (gitformat-bundle, version 2), because `git bundle` needs a ref, and the repository may be the user's own.
 */
export async function makeBundle(
  repoDir: string,
  commit: string,
  base: string | null,
  file: string,
): Promise<string> {
  // A bundle in use stays young, so that it is not removed: many file systems note only some of the reads.
  const now = new Date();
  const exists = await utimes(file, now, now).then(
    () => true,
    () => false,
  );
  if (exists) return file;
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
      // Otherwise each thread holds ten blobs to look for deltas, of 50 MiB each if an attempt wants so.
      config: ["pack.windowMemory=64m"],
    });
    await rename(fresh, file);
  } finally {
    await out.close();
    await rm(fresh, { force: true });
  }
  return file;
}
