import { asFault } from "@agentswarm/contracts";
import { countChanges } from "./count-changes.ts";
import { DIFF_OPTIONS, diffSafely } from "./diff-safely.ts";
import { runGit } from "./run-git.ts";

/**
 * Number of lines that are added and removed between two commits. Null when they cannot be counted: a changed file is
 * binary, which one character of a source file can bring about, or comparing the files takes git over its limits.
 */
export async function countLines(dir: string, base: string, head: string): Promise<number | null> {
  const args = ["diff-tree", ...DIFF_OPTIONS, "--numstat", "-z", base, head, "--"];
  try {
    const { stdout } = await runGit(args, diffSafely(dir));
    if (stdout.split("\0").some((record) => record.startsWith("-\t-\t"))) return null;
    const { linesAdded, linesRemoved } = countChanges(stdout);
    return linesAdded + linesRemoved;
  } catch (error) {
    if (asFault(error).code !== "git.refused") throw error;
    return null;
  }
}
