import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attemptRef, type ConflictPath } from "@agentswarm/contracts";
import { layOut, QUARANTINE } from "./fetch-quarantined.ts";
import { openMerge } from "./landing/engine.ts";
import { invertLandings, treeBefore } from "./landing/invert-landings.ts";
import { MERGER } from "./landing-log.ts";
import { formatCommit } from "./objects/commit-object.ts";
import { openObjects, type Objects } from "./objects/objects.ts";
import { runGit } from "./run-git.ts";
import type { Store } from "./store.ts";

/** What a revert task brings. `nothing`: the trunk has none of these changes any more. */
export type MadeRevert =
  | { kind: "made"; base: string; head: string }
  | { kind: "nothing" }
  | { kind: "conflict"; landing: string; paths: ConflictPath[] };

export interface RevertOrder {
  /** The repository that has the trunk; nothing is written there. */
  readonly repoDir: string;
  readonly store: Store;
  readonly taskId: string;
  readonly attempt: number;
  /** The trunk's newest commit. */
  readonly tip: string;
  /** The landings to take back, newest first. */
  readonly landings: readonly string[];
  readonly message: string;
}

/** The ref under which the new commit is handed to the store. */
const MADE = "refs/quarantine/checked";

/**
 * Makes the commit that takes landings back, and stores it as an attempt of its task. Several landings are taken back
 * from the trunk's newest tree in memory, all or none. A single one is left to the merger: its commit has the tree before
 * the landing, and the landing itself as its base. So the merger's merge takes it back, and a conflict goes the way of all
 * conflicts.
 */
export async function makeRevert(order: RevertOrder): Promise<MadeRevert> {
  const { repoDir, store, taskId, attempt, landings } = order;
  const dir = await mkdtemp(join(store.dir, QUARANTINE));
  try {
    await layOut(dir, repoDir);
    using objects = openObjects(dir);
    const [only] = landings;
    const isSingle = landings.length === 1 && only !== undefined;
    const made = isSingle ? await revertOne(objects, only, order) : await revertAll(objects, order);
    if (made.kind !== "made") return made;
    await objects.flush();
    await writeFile(join(dir, MADE), `${made.head}\n`);
    const ref = attemptRef(taskId, attempt);
    const how = ["--quiet", "--no-tags", "--no-write-fetch-head"];
    await runGit(["fetch", ...how, "--", dir, `+${MADE}:${ref}`], { cwd: store.dir });
    return made;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function revertOne(objects: Objects, landing: string, { message }: RevertOrder): Promise<MadeRevert> {
  const tree = await treeBefore(objects, landing);
  if (tree === (await objects.commit(landing)).tree) return { kind: "nothing" };
  return { kind: "made", base: landing, head: putRevert(objects, { tree, parent: landing, message }) };
}

async function revertAll(objects: Objects, { tip, landings, message }: RevertOrder): Promise<MadeRevert> {
  const { tree } = await objects.commit(tip);
  const inverted = await invertLandings(objects, openMerge(objects), tree, landings);
  if (inverted.kind === "conflict") return inverted;
  if (inverted.tree === tree) return { kind: "nothing" };
  return {
    kind: "made",
    base: tip,
    head: putRevert(objects, { tree: inverted.tree, parent: tip, message }),
  };
}

function putRevert(
  objects: Objects,
  { tree, parent, message }: { tree: string; parent: string; message: string },
): string {
  const who = `${MERGER.name} <${MERGER.email}> ${Math.floor(Date.now() / 1_000)} +0000`;
  const text = `${message.trim()}\n`;
  return objects.putCommit(
    formatCommit({ tree, parents: [parent], author: who, committer: who, message: text }),
  );
}
