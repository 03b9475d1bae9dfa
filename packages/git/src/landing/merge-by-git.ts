import type { ConflictPath } from "@agentswarm/contracts";
import { MERGER } from "../landing-log.ts";
import { GIT_LIMITS } from "../content-limits.ts";
import { runGit } from "../run-git.ts";
import { formatCommit } from "../objects/commit-object.ts";
import type { Objects } from "../objects/objects.ts";

export type MergedTree = { kind: "merged"; tree: string } | { kind: "conflict"; paths: ConflictPath[] };

const SIDE_AUTHOR = `${MERGER.name} <${MERGER.email}> 0 +0000`;

/**
 * Merges trees three-way with git itself, with rename detection, in a bare repository. `git merge-tree` 2.39 takes the base
 * from the history only, so each side gets a synthetic commit whose only parent is the base; new objects are written
 * first. Throws Fault `git.refused` when the trees take git over its limits. (`--stdin` would be faster, but before git 2.49 it answers only at the end of its input.)
 */
export async function mergeByGit(
  objects: Objects,
  base: string,
  ours: string,
  theirs: string,
): Promise<MergedTree> {
  const commit = (tree: string, parents: readonly string[]) =>
    objects.putCommit(
      formatCommit({
        tree,
        parents,
        author: SIDE_AUTHOR,
        committer: SIDE_AUTHOR,
        message: "a side of a merge\n",
      }),
    );
  const root = commit(base, []);
  const [left, right] = [commit(ours, [root]), commit(theirs, [root])];
  await objects.flush();
  const merged = await runGit(["merge-tree", "--write-tree", "-z", "--no-messages", left, right], {
    cwd: objects.dir,
    // Without the user's configuration: a .gitattributes in the trees could select a merge driver from it, and a driver
    // is a command. That configuration also names trusted repositories, so this one is named here.
    env: { GIT_CONFIG_GLOBAL: "/dev/null" },
    config: [`safe.directory=${objects.dir}`],
    answers: [1],
    limits: GIT_LIMITS,
  });
  const [tree = "", ...rest] = merged.stdout.split("\0");
  if (merged.exitCode === 0) return { kind: "merged", tree };
  return { kind: "conflict", paths: parseConflicts(rest, [left, right]) };
}

/**
 * Parses merge-tree's `<mode> <object> <stage>\t<path>` records: stage 1 is the base, 2 ours, 3 theirs. When a path is a
 * file on one side and a folder on the other, git names one of them `<path>~<side>`; that suffix is removed.
 */
function parseConflicts(records: readonly string[], sideNames: readonly string[]): ConflictPath[] {
  const found = new Map<string, { base: string | null; ours: string | null; theirs: string | null }>();
  for (const record of records) {
    const [, blob, stage, named] = /^\d{6} ([0-9a-f]{40}) ([123])\t(.+)$/s.exec(record) ?? [];
    if (blob === undefined || named === undefined) continue;
    const path = sideNames.reduce((name, side) => name.replace(`~${side}`, ""), named);
    const sides = found.get(path) ?? { base: null, ours: null, theirs: null };
    const side = ({ "1": "base", "2": "ours", "3": "theirs" } as const)[stage as "1" | "2" | "3"];
    found.set(path, { ...sides, [side]: blob });
  }
  return [...found].map(([path, sides]) => ({ path, ...sides }));
}
