import { Fault } from "@agentswarm/contracts";
import { CONTENT_LIMITS, GIT_LIMITS } from "./content-limits.ts";
import { parseCommit } from "./objects/commit-object.ts";
import { differingEntries, type Difference } from "./objects/differing-entries.ts";
import { openObjectReader, type ObjectReader, type ObjectType } from "./objects/object-reader.ts";
import { EMPTY_TREE, type TreeEntry } from "./objects/tree-object.ts";
import { show } from "./show-path.ts";

const DELETED = "000000";
export const NULL_ID = "0".repeat(40);

/** Regular files, links, submodules and folders. */
const MODES = new Set(["100644", "100755", "120000", "160000", "40000"]);

/** One file that a commit added, changed or deleted. */
export interface ChangedEntry {
  readonly path: string;
  /** As git writes it; "000000": deleted. */
  readonly mode: string;
  /** NULL_ID: deleted. */
  readonly blob: string;
}

/** A commit and its parents. */
export interface Lineage {
  readonly commit: string;
  readonly parents: readonly string[];
}

/**
 * Lists what commits changed against each of their parents: every file once for each content and mode that it gets. Trees are
 * compared by their ids here, not by `git diff-tree`, which lists all paths in memory before it prints one: 985 bytes of
 * trees within trees can hold 10^10 of them. The walk ends at the first limit, and reads no pair of folders twice at the
 * same path. Throws Fault `git.refused` with the limit that was exceeded.
 */
export async function listChanges(
  reader: ObjectReader,
  lineages: readonly Lineage[],
): Promise<ChangedEntry[]> {
  const { changedFiles, changedFolders, allPathsBytes, depth: maxDepth, listedBytes } = CONTENT_LIMITS;
  const files = new Map<string, ChangedEntry>();
  const folders = new Set<string>();
  let [listed, pathBytes] = [0, 0];

  const readTree = async (id: string | null): Promise<Buffer> => {
    if (id === null || id === EMPTY_TREE) return Buffer.alloc(0);
    const body = await readObject(reader, id, "tree");
    listed += body.length;
    if (listed > listedBytes)
      throw refused(`finding its changes takes more than ${listedBytes} bytes of trees`);
    return body;
  };
  const addFile = (path: string, mode: string, blob: string) => {
    const key = `${path}\0${mode}\0${blob}`;
    if (!files.has(key)) pathBytes += path.length;
    files.set(key, { path: utf8(path), mode, blob });
    if (files.size > changedFiles) throw refused(`more than ${changedFiles} changed files`);
    if (pathBytes > allPathsBytes)
      throw refused(`changed files whose paths have more than ${allPathsBytes} bytes together`);
  };
  const walk = async (before: string | null, after: string | null, path: string, depth: number) => {
    const seen = `${path}\0${before}\0${after}`;
    if (before === after || folders.has(seen)) return;
    folders.add(seen);
    if (folders.size > changedFolders) throw refused(`more than ${changedFolders} changed folders`);
    if (depth > maxDepth) throw refused(`${show(utf8(path))} is more than ${maxDepth} folders deep`);
    const bodies = await Promise.all([readTree(before), readTree(after)]);
    for (const difference of differingEntries(...bodies, changedFiles + changedFolders)) {
      await compare(difference, path, depth);
    }
  };
  const compare = async ({ before, after }: Difference, folder: string, depth: number) => {
    const path = folder + (after ?? before)?.name;
    if (after !== undefined) refuseEntry(path, after);
    const [was, is] = [isFolder(before) ? before.id : null, isFolder(after) ? after.id : null];
    if (after !== undefined && is === null) addFile(path, after.mode, after.id);
    else if (before !== undefined && was === null) addFile(path, DELETED, NULL_ID);
    if (was !== is) await walk(was, is, `${path}/`, depth + 1);
  };

  const trees = new Map<string, Promise<string>>();
  const treeOf = (commit: string) => {
    const known =
      trees.get(commit) ?? readObject(reader, commit, "commit").then((body) => parseCommit(body).tree);
    trees.set(commit, known);
    return known;
  };
  for (const { commit, parents } of lineages) {
    const after = await treeOf(commit);
    if (parents.length === 0) await walk(null, after, "", 0);
    for (const parent of parents) await walk(await treeOf(parent), after, "", 0);
  }
  return [...files.values()];
}

/** A reader that ends at an object that is too large to be read here. */
export function openLimitedReader(dir: string): ObjectReader {
  const { commitBytes, treeBytes, linkBytes } = CONTENT_LIMITS;
  return openObjectReader(dir, {
    ...GIT_LIMITS,
    most: { commit: commitBytes, tree: treeBytes, blob: linkBytes },
  });
}

async function readObject(reader: ObjectReader, id: string, type: ObjectType): Promise<Buffer> {
  const found = await reader.read(id);
  if (found?.type === type) return found.body;
  throw refused(`there is no ${type} ${id}`);
}

/** Git reads every mode of a directory as a folder: an old trunk may have 40755. */
function isFolder(entry: TreeEntry | undefined): entry is TreeEntry {
  return entry !== undefined && (Number.parseInt(entry.mode, 8) & 0o170000) === 0o040000;
}

function refuseEntry(path: string, { name, mode }: TreeEntry): void {
  const { nameBytes, pathBytes } = CONTENT_LIMITS;
  if (!MODES.has(mode)) throw refused(`${show(utf8(path))} has the mode ${mode}, which git does not write`);
  // One character is one byte here.
  if (name.length > nameBytes)
    throw refused(`${show(utf8(path))} has a name of ${name.length} bytes, more than ${nameBytes}`);
  if (path.length > pathBytes)
    throw refused(`${show(utf8(path))} is a path of ${path.length} bytes, more than ${pathBytes}`);
}

function utf8(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

function refused(why: string): Fault {
  return new Fault("git.refused", why);
}
