import type { Metrics } from "@agentswarm/contracts";
import { runGit } from "@agentswarm/git";

export type DiffFigures = Pick<Metrics, "linesAdded" | "linesRemoved" | "filesCreated" | "filesModified">;

/** Counts what an attempt changed, from its commits in the store; what the sandbox counted is only a claim. */
export async function measureCommits(dir: string, base: string, head: string): Promise<DiffFigures> {
  const diff = (format: string) =>
    runGit(
      ["diff-tree", "-r", "-z", format, "--no-renames", "--no-ext-diff", "--no-textconv", base, head, "--"],
      { cwd: dir },
    );
  const [numstat, status] = await Promise.all([diff("--numstat"), diff("--name-status")]);
  return { ...countLines(numstat.stdout), ...countFiles(status.stdout) };
}

/** Reads `--numstat -z`; binary files have no lines. */
export function countLines(text: string): Pick<DiffFigures, "linesAdded" | "linesRemoved"> {
  let [linesAdded, linesRemoved] = [0, 0];
  for (const record of text.split("\0")) {
    const [added, removed] = record.split("\t");
    linesAdded += Number(added) || 0;
    linesRemoved += Number(removed) || 0;
  }
  return { linesAdded, linesRemoved };
}

/** Reads `--name-status -z`: a state, then its path. */
export function countFiles(text: string): Pick<DiffFigures, "filesCreated" | "filesModified"> {
  const states = text.split("\0").filter((_, at) => at % 2 === 0);
  return {
    filesCreated: states.filter((state) => state === "A").length,
    filesModified: states.filter((state) => state === "M" || state === "T").length,
  };
}
