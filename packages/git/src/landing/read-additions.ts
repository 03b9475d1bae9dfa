import { Fault } from "@agentswarm/contracts";
import { diffTrees } from "../objects/diff-trees.ts";
import type { Objects } from "../objects/objects.ts";
import { EMPTY_TREE, isTree } from "../objects/tree-object.ts";
import { runGit } from "../run-git.ts";

/** A text that one commit adds to or changes in the repository. */
export interface Addition {
  readonly commit: string;
  /** Null: the text is the commit's own, its author and message. */
  readonly path: string | null;
  /** The text before the commit, of which nothing is new; empty for a new file. */
  readonly before: string;
  readonly after: string;
}

/** Commits of an attempt: quarantine accepts no more. */
const MAX_COMMITS = 500;

/**
 * Every text that the commits between `base` and `head` add, also one that a later commit deletes. Null when the texts
 * have more than `maxBytes` together. Throws Fault `git.failed`.
 */
export async function readAdditions(
  objects: Objects,
  range: { readonly base: string; readonly head: string },
  maxBytes: number,
): Promise<Addition[] | null> {
  const additions: Addition[] = [];
  let bytes = 0;
  const add = (addition: Addition): boolean => {
    additions.push(addition);
    bytes += addition.after.length + addition.before.length;
    return bytes <= maxBytes;
  };
  for (const commit of await commitsBetween(objects, range)) {
    const { parents, tree, author, message } = await objects.commit(commit);
    if (!add({ commit, path: null, before: "", after: `${author}\n${message}` })) return null;
    const trees = await Promise.all(parents.map(async (parent) => (await objects.commit(parent)).tree));
    const [first = EMPTY_TREE, ...others] = trees;
    // A text that equals that of any parent was read with that parent, or was on the trunk before.
    const differs = await Promise.all(
      others.map(async (other) => new Set((await diffTrees(objects, other, tree)).map(({ path }) => path))),
    );
    for (const { path, kind } of await diffTrees(objects, first, tree)) {
      if (kind === "deleted" || differs.some((paths) => !paths.has(path))) continue;
      const after = await readText(objects, tree, path);
      if (after === null) continue;
      const before = kind === "added" ? "" : ((await readText(objects, first, path)) ?? "");
      if (!add({ commit, path, before, after })) return null;
    }
  }
  return additions;
}

/** Newest first. An agent's attempt is one commit, so git is asked only about histories with merges. */
async function commitsBetween(
  objects: Objects,
  { base, head }: { base: string; head: string },
): Promise<string[]> {
  const commits: string[] = [];
  let at = head;
  while (at !== base && commits.length < MAX_COMMITS) {
    const { parents } = await objects.commit(at);
    const [parent] = parents;
    if (parent === undefined || parents.length > 1) break;
    commits.push(at);
    at = parent;
  }
  if (at === base) return commits;
  const { stdout } = await runGit(
    ["rev-list", `--max-count=${MAX_COMMITS + 1}`, "--end-of-options", `${base}..${head}`],
    { cwd: objects.dir },
  );
  const listed = stdout.split("\n").filter((line) => line !== "");
  if (listed.length <= MAX_COMMITS) return listed;
  throw new Fault("git.refused", `the attempt has more than ${MAX_COMMITS} commits`);
}

/** The text of a file or the target of a link; null for a folder or a submodule. */
async function readText(objects: Objects, tree: string, path: string): Promise<string | null> {
  const names = path.split("/").map((name) => Buffer.from(name).toString("latin1"));
  let folder = tree;
  for (const [at, name] of names.entries()) {
    const entry = (await objects.tree(folder)).find((one) => one.name === name);
    if (entry === undefined || entry.mode === "160000") return null;
    if (at === names.length - 1)
      return isTree(entry) ? null : (await objects.blob(entry.id)).toString("utf8");
    if (!isTree(entry)) return null;
    folder = entry.id;
  }
  return null;
}
