import type { ConflictPath } from "@agentswarm/contracts";
import { MERGER } from "../landing-log.ts";
import type { CommitObject } from "../objects/commit-object.ts";
import type { Objects } from "../objects/objects.ts";
import { EMPTY_TREE } from "../objects/tree-object.ts";
import type { Merge } from "./strategies.ts";

/** A tree without the changes of some landings. `landing`: the one whose changes others build upon. */
export type Inverted =
  | { kind: "inverted"; tree: string }
  | { kind: "conflict"; landing: string; paths: ConflictPath[] };

/**
 * Takes the changes of landings back from a tree, one landing after the other: a three-way merge with the tree that the
 * landing left as the base, and the tree before it as the other side. `landings`: newest first, each on the first-parent
 * line of what the tree is of.
 */
export async function invertLandings(
  objects: Objects,
  merge: Merge,
  tree: string,
  landings: readonly string[],
): Promise<Inverted> {
  let now = tree;
  for (const landing of landings) {
    const { tree: after } = await objects.commit(landing);
    const merged = await merge(after, now, await treeBefore(objects, landing));
    if (merged.kind === "conflict") return { kind: "conflict", landing, paths: merged.paths };
    now = merged.tree;
    await objects.flushIfLarge();
  }
  return { kind: "inverted", tree: now };
}

/**
 * The tree of the trunk before a landing. With the strategy `rebase` a landing is several commits, of which only the last
 * one has trailers: the ones before it belong to it.
 */
export async function treeBefore(objects: Objects, landing: string): Promise<string> {
  let { parents } = await objects.commit(landing);
  for (;;) {
    const [parent] = parents;
    if (parent === undefined) return EMPTY_TREE;
    const before = await objects.commit(parent);
    if (!isInnerCommit(before)) return before.tree;
    ({ parents } = before);
  }
}

/** Whether it is a commit of a landing, but not its last one. */
function isInnerCommit({ committer, message }: CommitObject): boolean {
  return committer.includes(`<${MERGER.email}>`) && !/^Swarm-Task: /m.test(message);
}
