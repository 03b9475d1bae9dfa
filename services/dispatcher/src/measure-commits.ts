import type { Metrics } from "@agentswarm/contracts";
import { countChanges, COUNTED, runGit } from "@agentswarm/git";

export type DiffFigures = Pick<Metrics, "linesAdded" | "linesRemoved" | "filesCreated" | "filesModified">;

/** Counts what an attempt changed, from its commits in the store; what the sandbox counted is only a claim. */
export async function measureCommits(dir: string, base: string, head: string): Promise<DiffFigures> {
  const { stdout } = await runGit(["diff-tree", "-r", ...COUNTED, base, head, "--"], { cwd: dir });
  const { files: _, ...figures } = countChanges(stdout);
  return figures;
}
