/** One entry of a tree. Names are latin1 strings, one character per byte, so that any name survives. */
export interface TreeEntry {
  /** As git writes it: 100644, 100755, 120000 (symlink), 160000 (submodule), 40000 (tree). */
  readonly mode: string;
  readonly name: string;
  readonly id: string;
}

/** A tree's entries in git's order. */
export type Tree = readonly TreeEntry[];

const TREE_MODE = "40000";
const SPACE = 0x20;
const ID_BYTES = 20;

export const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

export function isTree(entry: TreeEntry | undefined): boolean {
  return entry?.mode === TREE_MODE;
}

export function isRegularFile(entry: TreeEntry): boolean {
  return entry.mode === "100644" || entry.mode === "100755";
}

export function sameEntry(a: TreeEntry | undefined, b: TreeEntry | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.id === b.id && a.mode === b.mode);
}

export function treeEntry(name: string, id: string): TreeEntry {
  return { mode: TREE_MODE, name, id };
}

export function parseTree(body: Buffer): Tree {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < body.length;) {
    const { end, read } = entryAt(body, at);
    entries.push(read());
    at = end;
  }
  return entries;
}

/** Where the entry at `at` ends, and the entry itself, which is decoded only when it is read. */
export function entryAt(body: Buffer, at: number): { end: number; read: () => TreeEntry } {
  const nameEnd = body.indexOf(0, at);
  const id = nameEnd + 1;
  const end = id + ID_BYTES;
  return {
    end,
    read: () => {
      const space = body.indexOf(SPACE, at);
      return {
        mode: body.toString("latin1", at, space),
        name: body.toString("latin1", space + 1, nameEnd),
        id: body.toString("hex", id, end),
      };
    },
  };
}

export function formatTree(tree: Tree): Buffer {
  const parts: Buffer[] = [];
  for (const { mode, name, id } of tree) {
    parts.push(Buffer.from(`${mode} ${name}\0`, "latin1"), Buffer.from(id, "hex"));
  }
  return Buffer.concat(parts);
}

/** Git's order: by bytes, a tree's name as if it ended with a slash. */
export function compareEntries(a: TreeEntry, b: TreeEntry): number {
  const left = isTree(a) ? `${a.name}/` : a.name;
  const right = isTree(b) ? `${b.name}/` : b.name;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The tree with some names replaced (or removed, where the value is null). */
export function withEntries(tree: Tree, changes: ReadonlyMap<string, TreeEntry | null>): Tree {
  const kept = tree.filter((entry) => !changes.has(entry.name));
  const added = [...changes.values()].filter((entry) => entry !== null);
  if (added.length === 0) return kept;
  return [...kept, ...added].toSorted(compareEntries);
}
