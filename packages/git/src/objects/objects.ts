import { Fault } from "@agentswarm/contracts";
import { runGit } from "../run-git.ts";
import { openObjectReader } from "./cat-file.ts";
import { parseCommit, type CommitObject } from "./commit-object.ts";
import { writeLoose } from "./loose.ts";
import { encodePack, objectId, type NewObject } from "./pack.ts";
import { EMPTY_TREE, formatTree, parseTree, type Tree } from "./tree-object.ts";

/** A repository's objects, and new ones that are in memory only until they are written all at once. */
export interface Objects extends Disposable {
  readonly dir: string;
  /** Throws Fault `git.failed` where there is no such object. */
  tree(id: string): Promise<Tree>;
  commit(id: string): Promise<CommitObject>;
  blob(id: string): Promise<Buffer>;
  /** Reads a blob ahead of its need, and keeps it until the next flush. */
  prefetch(id: string): Promise<void>;
  putTree(tree: Tree): string;
  putCommit(body: Buffer): string;
  putBlob(body: Buffer): string;
  /**
   * Writes every new object: as one pack that git itself checks, or a few as files of their own, for which a process
   * would cost more than all the rest of a lone landing. Durable when it resolves.
   */
  flush(): Promise<void>;
  /** Forgets new objects: what they were built for will not be published. */
  drop(): void;
}

/** Entries over all cached trees; about 100 bytes each. */
const CACHED_ENTRIES = 500_000;

const PREFETCHED_BYTES = 16 * 1024 * 1024;
/** Up to here new objects are not worth a pack. */
const FEW = 12;

export function openObjects(dir: string): Objects {
  const reader = openObjectReader(dir);
  const fresh = new Map<string, NewObject>();
  /** What was written last; the next group builds on it. */
  let recent: ReadonlyMap<string, NewObject> = new Map();
  const trees = new Map<string, Tree | Promise<Tree>>();
  let entries = 0;
  const blobs = new Map<string, Buffer>();
  let prefetched = 0;

  const remember = (id: string, tree: Tree) => {
    trees.delete(id);
    trees.set(id, tree);
    entries += tree.length + 1;
    // A Map keeps the order of insertion: what was not asked for longest goes first.
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
    if (!fresh.has(id)) fresh.set(id, object);
    return id;
  };

  return {
    dir,
    async tree(id) {
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
    },
    commit: async (id) => parseCommit(await read(id, "commit")),
    blob: async (id) => blobs.get(id) ?? read(id, "blob"),
    async prefetch(id) {
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
    async flush() {
      if (fresh.size === 0) return;
      const written = [...fresh];
      if (written.length <= FEW) {
        await writeLoose(dir, written).catch((cause: unknown) => {
          throw new Fault("git.failed", `${dir}: ${Fault.from(cause).message}`, { cause, retryable: true });
        });
      } else {
        const pack = encodePack(written.map(([, object]) => object));
        await runGit(["index-pack", "--stdin", "--strict", "--threads=1"], { cwd: dir, input: pack });
      }
      for (const [id] of written) fresh.delete(id);
      recent = new Map(written);
      blobs.clear();
      prefetched = 0;
    },
    drop() {
      fresh.clear();
    },
    [Symbol.dispose]: () => reader[Symbol.dispose](),
  };
}
