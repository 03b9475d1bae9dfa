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

/** First parents read here before a git process is asked. */
const MAX_STEPS = 200;
/** First parents that are remembered, by the commit's id: they never change. */
const MAX_REMEMBERED = 10_000;
/** A path that is one word, as a line of a question to the reader needs it. */
const ONE_WORD = /^[^\s:][^\s]*$/;

/**
 * Opens an origin in place: nothing is fetched, and a push is one compare-and-swap of the ref, because the objects are in
 * the repository already. What the long-running reader finds needs no process; what it does not find is asked of git, whose
 * answer counts.
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
  const firstParents = new Map<string, string | null>();
  const firstParentOf = async (commit: string): Promise<string | null> => {
    const known = firstParents.get(commit);
    if (known !== undefined) return known;
    const found: GitObject | null = await reader.read(commit);
    // Not remembered: a commit that is not here may come.
    if (found?.type !== "commit") return null;
    const parent = parseCommit(found.body).parents[0] ?? null;
    if (firstParents.size >= MAX_REMEMBERED) firstParents.clear();
    firstParents.set(commit, parent);
    return parent;
  };
  /** Whether all of `wanted` are among the last first parents of `commit`: a trunk's newest landings are. */
  const isRecent = async (commit: string, wanted: readonly string[]): Promise<boolean> => {
    // What is remembered of a history counts only while its newest commit is here.
    if ((await reader.read(commit))?.type !== "commit") return false;
    const missing = new Set(wanted);
    let at: string | null = commit;
    for (let steps = 0; at !== null && missing.size > 0 && steps < MAX_STEPS; steps += 1) {
      const parent: string | null = await firstParentOf(at);
      // The root has none, but then it was read.
      if (parent !== null || firstParents.has(at)) missing.delete(at);
      at = parent;
    }
    return missing.size === 0;
  };
  const isAncestor = async (from: string, to: string): Promise<boolean> =>
    (await isRecent(to, [from])) || repository.isAncestor(from, to);
  return {
    ...repository,
    isCopy: false,
    async head() {
      const found = await reader.read(`refs/heads/${trunk}`);
      return found?.type === "commit" ? found.id : repository.head();
    },
    async treeOf(commit) {
      const found = await reader.read(commit);
      return found?.type === "commit" ? parseCommit(found.body).tree : repository.treeOf(commit);
    },
    async readFile(commit, path) {
      const found = ONE_WORD.test(path) ? await reader.read(`${commit}:${path}`) : null;
      return found?.type === "blob" ? found.body.toString("utf8") : repository.readFile(commit, path);
    },
    isAncestor,
    hasAll: async (commit, wanted) =>
      (wanted.length > 0 && (await isRecent(commit, wanted))) || repository.hasAll(commit, wanted),
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
