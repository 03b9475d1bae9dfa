import type { ConflictPath } from "@agentswarm/contracts";
import { MERGER } from "./landing-log.ts";
import { runGit } from "./run-git.ts";

export type MergedTree = { kind: "merged"; tree: string } | { kind: "conflict"; paths: ConflictPath[] };

/** Git's identity for objects that only serve a merge and are never published. */
const IDENTITY = {
  GIT_AUTHOR_NAME: MERGER.name,
  GIT_AUTHOR_EMAIL: MERGER.email,
  GIT_AUTHOR_DATE: "@0 +0000",
  GIT_COMMITTER_NAME: MERGER.name,
  GIT_COMMITTER_EMAIL: MERGER.email,
  GIT_COMMITTER_DATE: "@0 +0000",
};

/**
 * The three-way merge of `ours` and `theirs` over `base`, as a tree, in a bare repository with no work tree.
 * `git merge-tree` of 2.39 takes its base from the history only, so both sides are given synthetic commits whose
 * one parent is the base.
 */
export async function mergeTrees(
  dir: string,
  base: string,
  ours: string,
  theirs: string,
): Promise<MergedTree> {
  const upon = async (commit: string) => {
    const args = ["commit-tree", "-m", "side", "-p", base, `${commit}^{tree}`];
    return (await runGit(args, { cwd: dir, env: IDENTITY })).stdout.trim();
  };
  const [left, right] = await Promise.all([upon(ours), upon(theirs)]);
  const merged = await runGit(["merge-tree", "--write-tree", "-z", "--no-messages", left, right], {
    cwd: dir,
    answers: [1],
  });
  const [tree = "", ...rest] = merged.stdout.split("\0");
  if (merged.exitCode === 0) return { kind: "merged", tree };
  return { kind: "conflict", paths: parseConflicts(rest) };
}

/** Parses merge-tree's `<mode> <object> <stage>\t<path>` records: stage 1 is the base, 2 ours, 3 theirs. */
export function parseConflicts(records: readonly string[]): ConflictPath[] {
  const found = new Map<string, { base: string | null; ours: string | null; theirs: string | null }>();
  for (const record of records) {
    const [, blob, stage, path] = /^\d{6} ([0-9a-f]{40}) ([123])\t(.+)$/s.exec(record) ?? [];
    if (blob === undefined || path === undefined) continue;
    const sides = found.get(path) ?? { base: null, ours: null, theirs: null };
    const side = ({ "1": "base", "2": "ours", "3": "theirs" } as const)[stage as "1" | "2" | "3"];
    found.set(path, { ...sides, [side]: blob });
  }
  return [...found].map(([path, sides]) => ({ path, ...sides }));
}
