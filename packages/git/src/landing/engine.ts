import { asFault } from "@agentswarm/contracts";
import { isRefusedContent } from "../is-refused-content.ts";
import type { BuiltLanding, LandingRequest } from "./landing.ts";
import { diffTrees, type Change } from "../objects/diff-trees.ts";
import { mergeByGit } from "./merge-by-git.ts";
import { mergePlain } from "./merge-plain.ts";
import { readAdditions, type Addition } from "./read-additions.ts";
import { openObjects, type Objects } from "../objects/objects.ts";
import { warm } from "./warm.ts";
import { EMPTY_TREE } from "../objects/tree-object.ts";
import { buildLanding, type Merge, type MergeStrategy, type Position } from "./strategies.ts";

/** Builds the commits of landings, each on top of the one before, without publishing them. */
export interface LandingEngine extends Disposable {
  /**
   * Returns one result per request, in order. Each request is merged on top of the last one built, or of the commit `tip`.
   * The built commits are durable in the repository when this resolves. Callers build one group at a time.
   */
  build(tip: string, requests: readonly LandingRequest[]): Promise<BuiltLanding[]>;
  /** The files that differ between two commits. */
  changes(from: string, to: string): Promise<Change[]>;
  /** The files that a commit changed against its first parent. */
  changesOf(commit: string): Promise<Change[]>;
  /**
   * The texts that the commits between `base` and `head` add, also those that a later commit deletes; null when they have
   * more than `maxBytes`.
   */
  additions(base: string, head: string, maxBytes: number): Promise<Addition[] | null>;
  /** The text of a regular file; null: there is no such file. */
  readFile(commit: string, path: string): Promise<string | null>;
}

/** The three-way merge of trees: in memory where it is plain, else by git. */
export function openMerge(objects: Objects): Merge {
  return async (base, ours, theirs) => {
    const merged = await mergePlain(objects, base, ours, theirs);
    return merged.kind === "not-plain" ? mergeByGit(objects, base, ours, theirs) : merged;
  };
}

/**
 * Opens an engine on a bare repository. Trees are merged in memory by their ids, and each group is written as one pack.
 * (GitHub and GitLab merge on their servers this way; the group commit is that of databases.)
 */
export function openLandingEngine(options: { dir: string; strategy: MergeStrategy }): LandingEngine {
  const { strategy } = options;
  const objects = openObjects(options.dir);
  const merge = openMerge(objects);

  const buildGroup = async (tip: string, requests: readonly LandingRequest[]): Promise<BuiltLanding[]> => {
    let at: Position = { commit: tip, tree: (await objects.commit(tip)).tree };
    await warm(objects, at.tree, requests);
    const built: BuiltLanding[] = [];
    for (const request of requests) {
      const landing = await buildLanding({ objects, merge, strategy, at, request });
      built.push(landing);
      if (landing.kind === "built") at = landing;
    }
    await objects.flush();
    return built;
  };

  const build = async (tip: string, requests: readonly LandingRequest[]): Promise<BuiltLanding[]> => {
    try {
      return await buildGroup(tip, requests);
    } catch (error) {
      objects.drop();
      const fault = asFault(error);
      if (!isRefusedContent(fault)) throw fault;
      // Throws when the trunk cannot be read. Otherwise git refuses one of the attempts.
      await objects.commit(tip);
      if (requests.length > 1) return buildApart(tip, requests);
      return [{ kind: "refused", why: fault.message }];
    }
  };

  /** Builds each request alone, so that one that cannot be built does not block the others. */
  const buildApart = async (tip: string, requests: readonly LandingRequest[]): Promise<BuiltLanding[]> => {
    let at = tip;
    const apart: BuiltLanding[] = [];
    for (const request of requests) {
      const built = await build(at, [request]);
      apart.push(...built);
      for (const landing of built) if (landing.kind === "built") at = landing.commit;
    }
    return apart;
  };

  const changes = async (from: string, to: string) => {
    const [before, after] = await Promise.all([objects.commit(from), objects.commit(to)]);
    return diffTrees(objects, before.tree, after.tree);
  };

  return {
    build,
    changes,
    async changesOf(commit) {
      const { parents, tree } = await objects.commit(commit);
      const [parent] = parents;
      return parent === undefined ? diffTrees(objects, EMPTY_TREE, tree) : changes(parent, commit);
    },
    additions: (base, head, maxBytes) => readAdditions(objects, { base, head }, maxBytes),
    readFile: async (commit, path) => objects.readFile((await objects.commit(commit)).tree, path),
    [Symbol.dispose]: () => objects[Symbol.dispose](),
  };
}
