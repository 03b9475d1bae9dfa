import { Fault } from "@agentswarm/contracts";

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

/** Decodes the whole body at once and takes the entries out of the two texts: calls of Buffer would cost most of it. */
export function parseTree(body: Buffer): Tree {
  const [text, hex] = [body.toString("latin1"), body.toString("hex")];
  const entries: TreeEntry[] = [];
  for (let at = 0; at < text.length;) {
    const nameEnd = text.indexOf("\0", at);
    const space = text.indexOf(" ", at);
    const end = nameEnd + 1 + ID_BYTES;
    // Git checks the trees of attempts before they are read here.
    if (space === -1 || nameEnd < space || end > body.length)
      throw new Fault("git.refused", `a tree object is malformed at byte ${at}`);
    entries.push({
      mode: text.slice(at, space),
      name: text.slice(space + 1, nameEnd),
      id: hex.slice(2 * (nameEnd + 1), 2 * end),
    });
    at = end;
  }
  return entries;
}

/** Where the entry at `at` ends. */
export function entryEnd(body: Buffer, at: number): number {
  return body.indexOf(0, at) + 1 + ID_BYTES;
}

/** The entry from `at` to `end`. */
export function readEntry(body: Buffer, at: number, end: number): TreeEntry {
  const space = body.indexOf(SPACE, at);
  const id = end - ID_BYTES;
  return {
    mode: body.toString("latin1", at, space),
    name: body.toString("latin1", space + 1, id - 1),
    id: body.toString("hex", id, end),
  };
}

export function formatTree(tree: Tree): Buffer {
  let length = 0;
  for (const { mode, name } of tree) length += mode.length + name.length + 2 + ID_BYTES;
  const body = Buffer.allocUnsafe(length);
  let at = 0;
  for (const { mode, name, id } of tree) {
    at += body.write(`${mode} ${name}\0`, at, "latin1");
    at += body.write(id, at, "hex");
  }
  return body;
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
