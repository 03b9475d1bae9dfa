import { Fault } from "@agentswarm/contracts";
import type { BuiltLanding, LandingRequest } from "./landing.ts";
import { diffTrees, type Change } from "../objects/diff-trees.ts";
import { readFileOf } from "../objects/read-file.ts";
import { mergeByGit } from "./merge-by-git.ts";
import { mergePlain } from "./merge-plain.ts";
import { openObjects } from "../objects/objects.ts";
import { warm } from "./warm.ts";
import { EMPTY_TREE } from "../objects/tree-object.ts";
import { buildLanding, type Merge, type MergeStrategy, type Position } from "./strategies.ts";

/** Makes the commits of landings, one upon the other, without publishing them. */
export interface LandingEngine extends Disposable {
  /**
   * One answer per request, in their order: each is merged upon the last one built, or upon the commit `tip`. What
   * was built is in the repository and durable when this resolves. One group at a time.
   */
  build(tip: string, requests: readonly LandingRequest[]): Promise<BuiltLanding[]>;
  /** The files that differ between two commits. */
  changes(from: string, to: string): Promise<Change[]>;
  /** The files that a commit changed against its first parent. */
  changesOf(commit: string): Promise<Change[]>;
  readFile(commit: string, path: string): Promise<string | null>;
}

/**
 * An engine on a bare repository: trees are merged in memory, by ids, and written a whole group at a time as one
 * pack. (The way of GitHub's and GitLab's server-side merges, with group commit as databases do it.)
 */
export function openLandingEngine(options: { dir: string; strategy: MergeStrategy }): LandingEngine {
  const { strategy } = options;
  const objects = openObjects(options.dir);
  const merge: Merge = async (base, ours, theirs) => {
    const merged = await mergePlain(objects, base, ours, theirs);
    return merged.kind === "not-plain" ? mergeByGit(objects, base, ours, theirs) : merged;
  };

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
      const fault = Fault.from(error);
      if (fault.retryable) throw fault;
      // The trunk itself must be readable; then it is the attempts that git does not take.
      await objects.commit(tip);
      if (requests.length > 1) return buildApart(tip, requests);
      return [{ kind: "refused", why: fault.message }];
    }
  };

  /** Each by itself, so that one attempt that cannot be built does not keep the others off the trunk. */
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
    readFile: async (commit, path) => readFileOf(objects, (await objects.commit(commit)).tree, path),
    [Symbol.dispose]: () => objects[Symbol.dispose](),
  };
}
