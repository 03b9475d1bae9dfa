import { asFault, Fault } from "@agentswarm/contracts";
import { runGit } from "../run-git.ts";
import { openObjectReader } from "./object-reader.ts";
import { parseCommit, type CommitObject } from "./commit-object.ts";
import { openTurns } from "../turns.ts";
import { writeLoose } from "./write-loose.ts";
import { encodePack, objectId, type NewObject } from "./pack.ts";
import {
  EMPTY_TREE,
  formatTree,
  isRegularFile,
  isTree,
  parseTree,
  treeEntry,
  type Tree,
  type TreeEntry,
} from "./tree-object.ts";

/** A repository's objects, and new objects, which are in memory only until `flush` writes them. */
export interface Objects extends Disposable {
  readonly dir: string;
  /** Throws Fault `git.failed` when there is no such object. */
  tree(id: string): Promise<Tree>;
  commit(id: string): Promise<CommitObject>;
  blob(id: string): Promise<Buffer>;
  /** The text of a regular file in a tree; null: there is no such file. */
  readFile(tree: string, path: string): Promise<string | null>;
  /** Reads a blob in advance, and keeps it until the next flush. */
  prefetch(id: string): Promise<void>;
  putTree(tree: Tree): string;
  putCommit(body: Buffer): string;
  putBlob(body: Buffer): string;
  /**
   * Writes every new object: as one pack that git checks, or as loose objects when they are few, because the process
   * would cost more than the rest of a single landing. The objects are durable when this resolves.
   */
  flush(): Promise<void>;
  /** Flushes when the new objects take much memory: a landing may merge a gigabyte of texts. */
  flushIfLarge(): Promise<void>;
  /** Drops the new objects, because the landings that need them will not be published. */
  drop(): void;
}

/** Entries of all cached trees together; about 100 bytes each. */
const CACHED_ENTRIES = 500_000;

const PREFETCHED_BYTES = 16 * 1024 * 1024;
/** Blobs read in advance at the same time: their sizes are known only afterwards. */
const PREFETCHES_AT_ONCE = 4;
/** More new objects than this are written as a pack, which is encoded in this thread. */
const MAX_LOOSE = 12;
/** A larger object is always written alone, so that no step here takes long. */
const PACKED_BYTES = 1024 * 1024;
/** New objects beyond this are written before the group is complete. */
const UNWRITTEN_BYTES = 16 * 1024 * 1024;

export function openObjects(dir: string): Objects {
  const reader = openObjectReader(dir);
  const fresh = new Map<string, NewObject>();
  /** The objects written last: the next group builds on them. */
  let recent: ReadonlyMap<string, NewObject> = new Map();
  const trees = new Map<string, Tree | Promise<Tree>>();
  let entries = 0;
  const blobs = new Map<string, Buffer>();
  let prefetched = 0;
  const prefetches = openTurns(PREFETCHES_AT_ONCE);
  let unwritten = 0;

  const remember = (id: string, tree: Tree) => {
    trees.delete(id);
    trees.set(id, tree);
    entries += tree.length + 1;
    // A Map keeps the order of insertion, so the oldest tree is evicted first.
    for (const [oldest, cached] of trees) {
      if (entries <= CACHED_ENTRIES) break;
      if (cached instanceof Promise) continue;
      trees.delete(oldest);
      entries -= cached.length + 1;
    }
  };
  const read = async (id: string, type: NewObject["type"]): Promise<Buffer> => {
    const found = fresh.get(id) ?? recent.get(id) ?? (await reader.read(id));
    if (found?.type === type) return found.body;
    throw new Fault("git.failed", `${dir} has no ${type} ${id}`);
  };
  const put = (object: NewObject): string => {
    const id = objectId(object);
    if (!fresh.has(id)) {
      fresh.set(id, object);
      unwritten += object.body.length;
    }
    return id;
  };

  const readTree = async (id: string): Promise<Tree> => {
    if (id === EMPTY_TREE) return [];
    const cached = trees.get(id);
    if (cached !== undefined) return cached;
    const reading = read(id, "tree").then(parseTree);
    trees.set(id, reading);
    try {
      const tree = await reading;
      remember(id, tree);
      return tree;
    } catch (error) {
      trees.delete(id);
      throw error;
    }
  };
  const readBlob = async (id: string): Promise<Buffer> => blobs.get(id) ?? read(id, "blob");

  const flush = async () => {
    if (fresh.size === 0) return;
    const written = [...fresh];
    const small = written.filter(([, { body }]) => body.length <= PACKED_BYTES);
    const isFew = small.length <= MAX_LOOSE;
    const alone = isFew ? written : written.filter(([, { body }]) => body.length > PACKED_BYTES);
    await writeLoose(dir, alone).catch((cause: unknown) => {
      const fault = asFault(cause);
      throw fault.retryable ? fault : new Fault("git.failed", fault.message, { cause, retryable: true });
    });
    if (!isFew) {
      const pack = encodePack(small.map(([, object]) => object));
      await runGit(["index-pack", "--stdin", "--strict", "--threads=1"], { cwd: dir, input: pack });
    }
    for (const [id, { body }] of written) {
      fresh.delete(id);
      unwritten -= body.length;
    }
    recent = new Map(written);
    blobs.clear();
    prefetched = 0;
  };

  return {
    dir,
    tree: readTree,
    commit: async (id) => parseCommit(await read(id, "commit")),
    blob: readBlob,
    async readFile(tree, path) {
      const names = path.split("/").map((name) => Buffer.from(name).toString("latin1"));
      let entry: TreeEntry | undefined = treeEntry("", tree);
      for (const name of names) {
        if (!isTree(entry)) return null;
        entry = (await readTree(entry.id)).find((one) => one.name === name);
        if (entry === undefined) return null;
      }
      return isRegularFile(entry) ? (await readBlob(entry.id)).toString("utf8") : null;
    },
    async prefetch(id) {
      using _turn = await prefetches.take();
      if (blobs.has(id) || prefetched > PREFETCHED_BYTES) return;
      const body = await read(id, "blob");
      blobs.set(id, body);
      prefetched += body.length;
    },
    putTree(tree) {
      const id = put({ type: "tree", body: formatTree(tree) });
      if (!trees.has(id)) remember(id, tree);
      return id;
    },
    putCommit: (body) => put({ type: "commit", body }),
    putBlob: (body) => put({ type: "blob", body }),
    flush,
    flushIfLarge: async () => (unwritten > UNWRITTEN_BYTES ? flush() : undefined),
    drop() {
      fresh.clear();
      unwritten = 0;
    },
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  };
}
