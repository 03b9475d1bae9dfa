import type { LandingRequest } from "./landing.ts";
import type { Objects } from "../objects/objects.ts";
import { isRegularFile, isTree, sameEntry, type Tree, type TreeEntry } from "../objects/tree-object.ts";

/**
 * Reads in parallel the objects that a group needs, so that its merges, which run one after the other, do not wait: the
 * commits, the trees above each request's changes, and the contents of files that more than one side changed.
 */
export async function warm(
  objects: Objects,
  tip: string,
  requests: readonly LandingRequest[],
): Promise<void> {
  const contested = openContested(objects);

  const walk = async (
    base: TreeEntry,
    head: TreeEntry,
    now: TreeEntry | undefined,
    path: string,
  ): Promise<void> => {
    if (sameEntry(base, head)) return;
    if (now !== undefined && !isTree(now)) return;
    const [before, after, current] = await Promise.all([
      objects.tree(base.id),
      objects.tree(head.id),
      now === undefined ? [] : objects.tree(now.id),
    ]);
    const [from, trunk] = [byName(before), byName(current)];
    await Promise.all(
      after.map(async (entry) => {
        const [old, mine] = [from.get(entry.name), trunk.get(entry.name)];
        if (old === undefined || sameEntry(old, entry)) return;
        const full = `${path}/${entry.name}`;
        if (isTree(old) && isTree(entry)) await walk(old, entry, mine, full);
        else if (isRegularFile(old) && isRegularFile(entry)) await contested.add(full, old, entry, mine);
      }),
    );
  };

  const root = (id: string): TreeEntry => ({ mode: "40000", name: "", id });
  await Promise.all(
    requests.map(async (request) => {
      const [base, head] = await Promise.all([objects.commit(request.base), objects.commit(request.head)]);
      await walk(root(base.tree), root(head.tree), root(tip), "");
    }),
  ).catch(() => undefined); // A read that fails here fails again, with its error, when the object is needed.
}

function byName(tree: Tree): Map<string, TreeEntry> {
  return new Map(tree.map((entry) => [entry.name, entry]));
}

/** Reads a file's contents as soon as a second side has changed it. */
function openContested(objects: Objects) {
  const seen = new Map<string, TreeEntry[]>();
  return {
    async add(path: string, base: TreeEntry, head: TreeEntry, trunk: TreeEntry | undefined): Promise<void> {
      const others = seen.get(path) ?? [];
      const sides = sameEntry(base, trunk) || trunk === undefined ? [base, head] : [base, head, trunk];
      seen.set(path, [...others, ...sides]);
      if (others.length === 0 && sides.length === 2) return;
      await Promise.all([...others, ...sides].map((entry) => objects.prefetch(entry.id)));
    },
  };
}
