import type { ConflictPath } from "@agentswarm/contracts";
import { openTextMerge } from "./merge-text.ts";
import type { Objects } from "../objects/objects.ts";
import {
  EMPTY_TREE,
  isRegularFile,
  isTree,
  sameEntry,
  treeEntry,
  withEntries,
  type Tree,
  type TreeEntry,
} from "../objects/tree-object.ts";

/** The result of merging two trees without git. `not-plain`: git must merge them. */
export type PlainMerge =
  | { kind: "merged"; tree: string }
  | { kind: "conflict"; paths: ConflictPath[] }
  | { kind: "not-plain" };

interface Sides {
  readonly base: TreeEntry | undefined;
  readonly ours: TreeEntry | undefined;
  readonly theirs: TreeEntry | undefined;
}

/** Thrown where a merge is not plain, to leave the recursion. */
class NotPlain extends Error {}

/**
 * Merges trees three-way by their ids. A path that one side left unchanged is taken from the other side unread, whole
 * subtrees too, so the cost depends on the changes of both sides and not on the size of the repository. A file that both
 * sides changed is merged by its lines.
 *
 * Everything that a rename could affect is left to git. Git looks for renames only when a side both removes and adds
 * paths, and they matter only if the other side changed or removed the removed path too, or added to a removed folder.
 * Each of these cases shows here as a path that both sides changed. So do type changes against edits, links, submodules,
 * and files in place of folders.
 */
export async function mergePlain(
  objects: Objects,
  base: string,
  ours: string,
  theirs: string,
): Promise<PlainMerge> {
  const conflicts: ConflictPath[] = [];
  const mergeText = openTextMerge();
  const root = (id: string) => treeEntry("", id);

  const mergeTrees = async (
    base: TreeEntry,
    ours: TreeEntry,
    theirs: TreeEntry,
    path: string,
  ): Promise<string> => {
    const [baseTree, oursTree, theirsTree] = await Promise.all([
      objects.tree(base.id),
      objects.tree(ours.id),
      objects.tree(theirs.id),
    ]);
    const changed = new Map<string, TreeEntry | null>();
    for (const [name, sides] of changedByTheirs(baseTree, oursTree, theirsTree)) {
      const merged = await mergeEntry(sides, path + name);
      if (!sameEntry(merged ?? undefined, sides.ours)) changed.set(name, merged);
    }
    return changed.size === 0 ? ours.id : objects.putTree(withEntries(oursTree, changed));
  };

  const mergeEntry = async (sides: Sides, path: string): Promise<TreeEntry | null> => {
    const { base, ours, theirs } = sides;
    if (sameEntry(ours, base)) return theirs ?? null;
    if (ours === undefined || theirs === undefined) throw new NotPlain();
    if (isTree(ours) && isTree(theirs)) {
      if (base !== undefined && !isTree(base)) throw new NotPlain();
      const before = base ?? treeEntry(ours.name, EMPTY_TREE);
      const id = await mergeTrees(before, ours, theirs, `${path}/`);
      return id === EMPTY_TREE ? null : { ...ours, id };
    }
    if (sameEntry(ours, theirs) && !isTree(base)) return ours;
    if (base === undefined || ![base, ours, theirs].every(isRegularFile)) throw new NotPlain();
    return mergeFiles(base, ours, theirs, path);
  };

  const mergeFiles = async (
    base: TreeEntry,
    ours: TreeEntry,
    theirs: TreeEntry,
    path: string,
  ): Promise<TreeEntry> => {
    const mode = ours.mode === base.mode ? theirs.mode : ours.mode;
    if (ours.id === theirs.id || theirs.id === base.id) return { ...ours, mode };
    if (ours.id === base.id) return { ...theirs, mode };
    const [from, left, right] = await Promise.all([base, ours, theirs].map((side) => objects.blob(side.id)));
    const merged = await mergeText(from as Buffer, left as Buffer, right as Buffer);
    if (merged === null) {
      const name = Buffer.from(path, "latin1").toString("utf8");
      conflicts.push({ path: name, base: base.id, ours: ours.id, theirs: theirs.id });
      return ours;
    }
    const id = objects.putBlob(merged);
    await objects.flushIfLarge();
    return { ...ours, mode, id };
  };

  try {
    if (theirs === base) return { kind: "merged", tree: ours };
    if (ours === base) return { kind: "merged", tree: theirs };
    if (await anyRootIsGone(objects, base, ours, theirs)) return { kind: "not-plain" };
    const tree = await mergeTrees(root(base), root(ours), root(theirs), "");
    return conflicts.length === 0 ? { kind: "merged", tree } : { kind: "conflict", paths: conflicts };
  } catch (error) {
    if (error instanceof NotPlain) return { kind: "not-plain" };
    throw error;
  }
}

/** The names that `theirs` changed, with each side's entry. All other names stay as in `ours`. */
function changedByTheirs(base: Tree, ours: Tree, theirs: Tree): [string, Sides][] {
  const byName = (tree: Tree) => new Map(tree.map((entry) => [entry.name, entry]));
  const [before, after] = [byName(base), byName(theirs)];
  const names = new Set<string>();
  for (const entry of theirs) if (!sameEntry(before.get(entry.name), entry)) names.add(entry.name);
  for (const entry of base) if (!after.has(entry.name)) names.add(entry.name);
  if (names.size === 0) return [];
  const now = byName(ours);
  return [...names].map((name) => [
    name,
    { base: before.get(name), ours: now.get(name), theirs: after.get(name) },
  ]);
}

/** Whether a side kept no entry of the base's root: then the whole tree may have been moved into a folder. */
async function anyRootIsGone(objects: Objects, base: string, ours: string, theirs: string): Promise<boolean> {
  const before = await objects.tree(base);
  if (before.length === 0) return false;
  for (const side of [ours, theirs]) {
    const names = new Set((await objects.tree(side)).map((entry) => entry.name));
    if (!before.some((entry) => names.has(entry.name))) return true;
  }
  return false;
}
