import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asFault, attemptRef } from "@agentswarm/contracts";
import { GIT_LIMITS, QUARANTINES_AT_ONCE } from "./content-limits.ts";
import { inspectCommits, type Inspection } from "./inspect-commits.ts";
import { isRefusedContent } from "./is-refused-content.ts";
import { runGit } from "./run-git.ts";
import type { Store } from "./store.ts";
import { openTurns } from "./turns.ts";
import { unbundle } from "./unbundle.ts";

/** The process that packs the commits for the store reads no settings but these. */
const CONFIG = `[core]
	repositoryformatversion = 0
	bare = true
	bigFileThreshold = 16m
[pack]
	threads = 1
	windowMemory = 64m
`;
const CHECKED = "refs/quarantine/checked";

/** The folders of quarantines, in the store's. */
export const QUARANTINE = "quarantine-";
/** Longer than the limits of git let a quarantine take. */
const ABANDONED_AFTER_MS = 3_600_000;

interface QuarantineOptions {
  readonly bundlePath: string;
  readonly baseCommit: string;
  readonly headCommit: string;
  /** The repository that has the base's history. */
  readonly repoDir: string;
  readonly store: Store;
  readonly taskId: string;
  readonly attempt: number;
}

/** Each has git processes that may use GIT_LIMITS. */
const turns = openTurns(QUARANTINES_AT_ONCE);

/**
 * Takes an attempt's commits from a sandbox's bundle into the store. They are unpacked into a separate bare repository
 * with every object checked, then inspected, and only then get a ref in the store. Nothing is checked out or run. A bad
 * bundle is an answer (`refused`), not a Fault.
 */
export async function fetchQuarantined(options: QuarantineOptions): Promise<Inspection> {
  using _turn = await turns.take();
  try {
    return await quarantine(options);
  } catch (error) {
    const fault = asFault(error);
    // A limit, and not the machine, ended one of the git processes.
    if (fault.code === "git.refused" && !fault.retryable) return { kind: "refused", why: fault.message };
    throw fault;
  }
}

async function quarantine(options: QuarantineOptions): Promise<Inspection> {
  const { bundlePath, baseCommit, headCommit, store } = options;
  const dir = await mkdtemp(join(store.dir, QUARANTINE));
  try {
    await layOut(dir, options.repoDir);
    let brought: string[];
    try {
      brought = await unbundle(dir, bundlePath);
    } catch (error) {
      const fault = asFault(error);
      if (!isRefusedContent(fault)) throw fault;
      return { kind: "refused", why: `the bundle was refused: ${fault.message}` };
    }
    if (!brought.includes(headCommit))
      return { kind: "refused", why: "the bundle lacks the commit it was sent for" };
    const inspection = await inspectCommits(dir, baseCommit, headCommit);
    if (inspection.kind === "refused") return inspection;
    // A tag resolves to a commit, but is not one.
    if (inspection.commits.at(-1) !== headCommit)
      return { kind: "refused", why: "the bundle lacks the commit it was sent for" };
    const ref = attemptRef(options.taskId, options.attempt);
    await writeFile(join(dir, CHECKED), `${headCommit}\n`);
    await runGit(
      ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", dir, `+${CHECKED}:${ref}`],
      {
        cwd: store.dir,
        limits: GIT_LIMITS,
      },
    );
    return inspection;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Removes the quarantines that a killed process left in a store, and returns their number. */
export async function removeQuarantines({ dir }: Pick<Store, "dir">): Promise<number> {
  let removed = 0;
  for (const name of await readdir(dir)) {
    if (!name.startsWith(QUARANTINE)) continue;
    const found = await stat(join(dir, name)).catch(() => null);
    if (found === null || Date.now() - found.mtimeMs < ABANDONED_AFTER_MS) continue;
    await rm(join(dir, name), { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

/** Lays out a bare repository without the process of a `git init`, because every attempt gets a new one. */
export async function layOut(dir: string, repoDir: string): Promise<void> {
  for (const folder of ["objects/info", "objects/pack", dirname(CHECKED)])
    await mkdir(join(dir, folder), { recursive: true });
  await writeFile(join(dir, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(join(dir, "config"), CONFIG);
  await writeFile(join(dir, "objects/info/alternates"), `${join(repoDir, "objects")}\n`);
}
