import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { attemptRef, Fault } from "@agentswarm/contracts";
import { inspectCommits, type Inspection } from "./inspect-commits.ts";
import { runGit } from "./run-git.ts";
import type { Store } from "./store.ts";
import { unbundle } from "./unbundle.ts";

const CHECKED = "refs/quarantine/checked";

/**
 * Takes an attempt's commits out of a bundle from a sandbox. They are unpacked in a bare repository of their
 * own with every object checked, looked at, and only then given a ref in the store; nothing is checked out or run.
 * What is wrong with them is an answer, not a failure.
 */
export async function fetchQuarantined(options: {
  bundlePath: string;
  baseCommit: string;
  headCommit: string;
  /** The mirror that has the base's history. */
  repoDir: string;
  store: Store;
  taskId: string;
  attempt: number;
}): Promise<Inspection> {
  const { bundlePath, baseCommit, headCommit, store } = options;
  const dir = await mkdtemp(join(store.dir, "quarantine-"));
  try {
    await layOut(dir, options.repoDir);
    let brought: string[];
    try {
      brought = await unbundle(dir, bundlePath);
    } catch (error) {
      const fault = Fault.from(error);
      if (fault.retryable) throw fault;
      return { kind: "refused", why: `the bundle was refused: ${fault.message}` };
    }
    if (!brought.includes(headCommit))
      return { kind: "refused", why: "the bundle lacks the commit it was sent for" };
    const inspection = await inspectCommits(dir, baseCommit, headCommit);
    if (inspection.kind === "refused") return inspection;
    // A tag leads to a commit, but is none.
    if (inspection.commits.at(-1) !== headCommit)
      return { kind: "refused", why: "the bundle lacks the commit it was sent for" };
    const ref = attemptRef(options.taskId, options.attempt);
    await writeFile(join(dir, CHECKED), `${headCommit}\n`);
    await runGit(
      ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", dir, `+${CHECKED}:${ref}`],
      {
        cwd: store.dir,
      },
    );
    return inspection;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A bare repository as `git init` makes one, without a process: quarantine is made for every attempt anew. */
async function layOut(dir: string, repoDir: string): Promise<void> {
  for (const folder of ["objects/info", "objects/pack", dirname(CHECKED)])
    await mkdir(join(dir, folder), { recursive: true });
  await writeFile(join(dir, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(join(dir, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
  await writeFile(join(dir, "objects/info/alternates"), `${join(repoDir, "objects")}\n`);
}
