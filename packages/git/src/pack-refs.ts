import { runGit } from "./run-git.ts";

/**
 * Writes all refs into one file, and the commits that they hold into a commit graph: otherwise each fetch opens a file for
 * every ref, and reads the commit of each. Safe beside readers and writers.
 */
export async function packRefs(dir: string, signal?: AbortSignal): Promise<void> {
  const options = { cwd: dir, ...(signal === undefined ? {} : { signal }) };
  await runGit(["pack-refs", "--all", "--prune"], options);
  await runGit(["commit-graph", "write", "--reachable", "--no-progress"], options);
}
