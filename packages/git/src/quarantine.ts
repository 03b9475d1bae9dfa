import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attemptRef, Fault } from "@agentswarm/contracts";
import { initBare } from "./init-bare.ts";
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
    await initBare(dir);
    await writeFile(join(dir, "objects/info/alternates"), `${join(options.repoDir, "objects")}\n`);
    let brought: string[];
    try {
      brought = await unbundle(dir, bundlePath);
    } catch (error) {
      const fault = Fault.from(error);
      if (fault.retryable) throw fault;
      return { kind: "refused", why: `the bundle was refused: ${fault.message}` };
    }
    const known = await runGit(["cat-file", "-t", headCommit], { cwd: dir, answers: [1, 128] });
    if (!brought.includes(headCommit) || known.stdout.trim() !== "commit")
      return { kind: "refused", why: "the bundle lacks the commit it was sent for" };
    const descends = await runGit(["merge-base", "--is-ancestor", baseCommit, headCommit], {
      cwd: dir,
      answers: [1, 128],
    });
    if (descends.exitCode !== 0)
      return { kind: "refused", why: "the attempt does not descend from its base" };

    const inspection = await inspectCommits(dir, baseCommit, headCommit);
    if (inspection.kind === "refused") return inspection;
    const ref = attemptRef(options.taskId, options.attempt);
    await runGit(["update-ref", CHECKED, headCommit], { cwd: dir });
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
