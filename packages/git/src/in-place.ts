import { existsSync } from "node:fs";
import { join } from "node:path";
import { openObjectReader, type GitObject } from "./objects/cat-file.ts";
import { parseCommit } from "./objects/commit-object.ts";
import type { Mirror } from "./mirror.ts";
import { findTrunk, refuseBackwards, unreachable } from "./origin.ts";
import { refuseWithoutRight } from "./publish-right.ts";
import { LOCKS_STALE_AFTER_MS, recoverLocks } from "./recover-locks.ts";
import { openRefWriter } from "./ref-writer.ts";
import { openRepository } from "./repository.ts";

/** First parents looked at before git is asked. */
const STEPS = 200;

/**
 * The origin itself, used where it lies: nothing has to be fetched, and what a push would copy and check again is
 * moved in by one compare-and-swap of the ref.
 */
export async function openInPlace(options: {
  dir: string;
  url: string;
  trunk?: string | undefined;
}): Promise<Mirror> {
  const { dir, url } = options;
  await recoverLocks(dir, LOCKS_STALE_AFTER_MS);
  const trunk = options.trunk || (await findTrunk(dir, url));
  const repository = openRepository({ dir, url, trunk, branches: "refs/heads" });
  const refs = openRefWriter(dir);
  const reader = openObjectReader(dir);
  /** Mostly `to` was built on `from` a moment ago, which a few reads tell sooner than a process. */
  const isAncestor = async (from: string, to: string): Promise<boolean> => {
    let at: string | undefined = to;
    for (let steps = 0; at !== undefined && steps < STEPS; steps += 1) {
      if (at === from) return true;
      const found: GitObject | null = await reader.read(at);
      at = found?.type === "commit" ? parseCommit(found.body).parents[0] : undefined;
    }
    return repository.isAncestor(from, to);
  };
  return {
    ...repository,
    async head() {
      const found = await reader.read(`refs/heads/${trunk}`);
      return found?.type === "commit" ? found.id : repository.head();
    },
    async fetch() {
      // A disk that is not mounted leaves an empty folder, which would look like an origin without a trunk.
      if (!existsSync(join(dir, "HEAD"))) throw unreachable(`${dir} is no repository now`);
    },
    async push(move, by) {
      await refuseBackwards(isAncestor, move);
      refuseWithoutRight(move.ref, by);
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
