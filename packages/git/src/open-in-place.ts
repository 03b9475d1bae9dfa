import { existsSync } from "node:fs";
import { join } from "node:path";
import { openObjectReader, type GitObject } from "./objects/object-reader.ts";
import { parseCommit } from "./objects/commit-object.ts";
import type { Mirror } from "./mirror.ts";
import { findTrunk, originFault } from "./reach-origin.ts";
import { assertMayPublish } from "./publish-right.ts";
import { LOCKS_STALE_AFTER_MS, recoverLocks } from "./recover-locks.ts";
import { openRefWriter } from "./ref-writer.ts";
import { openRepository } from "./repository.ts";

/** First parents read here before `git merge-base` is run. */
const MAX_STEPS = 200;

/**
 * Opens an origin in place: nothing is fetched, and a push is one compare-and-swap of the ref, because the objects are in
 * the repository already.
 */
export async function openInPlace(options: {
  dir: string;
  url: string;
  trunk?: string | undefined;
}): Promise<Mirror> {
  const { dir, url } = options;
  await recoverLocks(dir, LOCKS_STALE_AFTER_MS);
  const trunk = options.trunk || (await findTrunk(dir, { url, credential: null }));
  const repository = openRepository({ dir, url, trunk, branches: "refs/heads" });
  const refs = openRefWriter(dir);
  const reader = openObjectReader(dir);
  /** Usually `to` was built on `from` just now, so a few reads answer sooner than a process. */
  const isAncestor = async (from: string, to: string): Promise<boolean> => {
    let at: string | undefined = to;
    for (let steps = 0; at !== undefined && steps < MAX_STEPS; steps += 1) {
      if (at === from) return true;
      const found: GitObject | null = await reader.read(at);
      at = found?.type === "commit" ? parseCommit(found.body).parents[0] : undefined;
    }
    return repository.isAncestor(from, to);
  };
  return {
    ...repository,
    isCopy: false,
    async head() {
      const found = await reader.read(`refs/heads/${trunk}`);
      return found?.type === "commit" ? found.id : repository.head();
    },
    async fetch() {
      // An unmounted disk leaves an empty folder, which would look like an origin without a trunk.
      if (!existsSync(join(dir, "HEAD"))) throw originFault(`${dir} is not a repository any more`);
    },
    async push(move, by) {
      await assertMayPublish(move, by, isAncestor);
      return refs.update(move).catch(async (error: unknown) => {
        await recoverLocks(dir, LOCKS_STALE_AFTER_MS);
        throw error;
      });
    },
    [Symbol.dispose]() {
      refs[Symbol.dispose]();
      reader[Symbol.dispose]();
    },
  };
}
