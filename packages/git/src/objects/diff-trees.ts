import type { Objects } from "./objects.ts";
import { isTree, sameEntry, type TreeEntry } from "./tree-object.ts";

/** A file that differs between two commits. */
export interface Change {
  readonly path: string;
  readonly kind: "added" | "changed" | "deleted";
}

/** The files that differ between two trees, without rename detection. Unchanged subtrees are not read. */
export async function diffTrees(objects: Objects, from: string, to: string): Promise<Change[]> {
  const changes: Change[] = [];
  const walk = async (before: string | null, after: string | null, path: string): Promise<void> => {
    const [old, now] = await Promise.all([
      before === null ? [] : objects.tree(before),
      after === null ? [] : objects.tree(after),
    ]);
    const known = new Map(old.map((entry) => [entry.name, entry]));
    const inside: Promise<void>[] = [];
    const look = (left: TreeEntry | undefined, right: TreeEntry | undefined) => {
      if (sameEntry(left, right)) return;
      const full = path + (right ?? left)?.name;
      const [leftTree, rightTree] = [left, right].map((entry) => (entry && isTree(entry) ? entry.id : null));
      if (leftTree || rightTree) inside.push(walk(leftTree ?? null, rightTree ?? null, `${full}/`));
      const [leftFile, rightFile] = [left, right].map((entry) => entry !== undefined && !isTree(entry));
      if (!leftFile && !rightFile) return;
      const kind = leftFile ? (rightFile ? "changed" : "deleted") : "added";
      changes.push({ path: Buffer.from(full, "latin1").toString("utf8"), kind });
    };
    for (const entry of now) {
      look(known.get(entry.name), entry);
      known.delete(entry.name);
    }
    for (const entry of known.values()) look(entry, undefined);
    await Promise.all(inside);
  };
  if (from !== to) await walk(from, to, "");
  return changes;
}
