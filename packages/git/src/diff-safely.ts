import { GIT_LIMITS, type GitLimits } from "./content-limits.ts";
import { EMPTY_TREE } from "./objects/tree-object.ts";
import type { GitOptions } from "./run-git.ts";

/**
 * How git compares commits of an agent: no attributes of the repository or of this machine, so that no file chooses how it
 * is shown or hides its lines; no program of the user's configuration; no large file in memory as a text.
 */
export function diffSafely(dir: string, limits: GitLimits = GIT_LIMITS): GitOptions {
  return {
    cwd: dir,
    config: [
      "core.attributesFile=/dev/null",
      // Newer gits read attributes from HEAD of a bare repository.
      `attr.tree=${EMPTY_TREE}`,
      // Git takes files above the threshold for binary.
      "core.bigFileThreshold=16m",
    ],
    env: { GIT_ATTR_NOSYSTEM: "1" },
    limits,
  };
}

/** Options of every `git diff-tree` whose output people or rules go by. */
export const DIFF_OPTIONS = ["-r", "--no-renames", "--no-ext-diff", "--no-textconv"] as const;
