import type { ConflictPath } from "@agentswarm/contracts";
import { MERGER } from "../landing-log.ts";
import { runGit } from "../run-git.ts";
import { formatCommit } from "../objects/commit-object.ts";
import type { Objects } from "../objects/objects.ts";

export type MergedTree = { kind: "merged"; tree: string } | { kind: "conflict"; paths: ConflictPath[] };

const NOBODY = `${MERGER.name} <${MERGER.email}> 0 +0000`;

/**
 * The three-way merge of trees by git itself, renames and all, in a bare repository. `git merge-tree` of 2.39 takes
 * its base from the history only, so the sides are given synthetic commits whose one parent is the base; what is in
 * memory is written first. (Kept running by `--stdin` it would be faster, but before git 2.49 it answers only at the
 * end of its input.)
 */
export async function mergeByGit(
  objects: Objects,
  base: string,
  ours: string,
  theirs: string,
): Promise<MergedTree> {
  const commit = (tree: string, parents: readonly string[]) =>
    objects.putCommit(
      formatCommit({ tree, parents, author: NOBODY, committer: NOBODY, message: "a side of a merge\n" }),
    );
  const root = commit(base, []);
  const [left, right] = [commit(ours, [root]), commit(theirs, [root])];
  await objects.flush();
  const merged = await runGit(["merge-tree", "--write-tree", "-z", "--no-messages", left, right], {
    cwd: objects.dir,
    // Without the user's own configuration: a .gitattributes in the trees could choose a merge driver from it, which
    // is a command. Whose repositories the user trusts is in there too, so this one is named.
    env: { GIT_CONFIG_GLOBAL: "/dev/null" },
    config: [`safe.directory=${objects.dir}`],
    answers: [1],
  });
  const [tree = "", ...rest] = merged.stdout.split("\0");
  if (merged.exitCode === 0) return { kind: "merged", tree };
  return { kind: "conflict", paths: parseConflicts(rest, [left, right]) };
}

/**
 * Parses merge-tree's `<mode> <object> <stage>\t<path>` records: stage 1 is the base, 2 ours, 3 theirs. Where one path
 * is two things git calls one of them `<path>~<side>`, which is nobody's name for it.
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
