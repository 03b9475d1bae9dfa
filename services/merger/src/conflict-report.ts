import {
  HOT_AFTER,
  repoScoped,
  type ConflictPath,
  type MergeOutcome,
  type MergeRequest,
} from "@agentswarm/contracts";
import { nextNumber } from "@agentswarm/queue";
import type { LandingContext } from "./context.ts";

/** The largest number of titles in `theirIntent`. */
const TITLES = 10;

/**
 * The outcome of an attempt that conflicts with the commit `tip`: the paths, the titles of the landings that touched
 * them since the attempt's base, and the hot files among them. Counts one conflict for each path.
 */
export async function reportConflict(
  ctx: LandingContext,
  request: MergeRequest,
  tip: string,
  paths: ConflictPath[],
): Promise<MergeOutcome> {
  const names = paths.map((one) => one.path);
  return {
    kind: "conflict",
    paths,
    base: request.baseCommit,
    theirIntent: await readIntent(ctx, request.baseCommit, tip, names),
    hot: await countConflicts(ctx, names),
  };
}

/** The titles of the newest landings since `base` that touched some of `paths`. */
async function readIntent(
  { mirror, engine }: LandingContext,
  base: string,
  tip: string,
  paths: readonly string[],
): Promise<string> {
  const wanted = new Set(paths);
  const titles: string[] = [];
  for (const landing of await mirror.landings(tip, base)) {
    const changed = await engine.changesOf(landing.commit);
    if (changed.some((one) => wanted.has(one.path))) titles.push(`- ${landing.title}`);
    if (titles.length === TITLES) break;
  }
  return titles.join("\n");
}

/** Counts a conflict for each path and returns the hot ones: files that conflict so often that they should be split. */
async function countConflicts(
  { connection, repoId }: LandingContext,
  paths: readonly string[],
): Promise<string[]> {
  const name = repoScoped("conflicts", repoId);
  const counts = await Promise.all(
    paths.map(async (path) => ({ path, count: await nextNumber(connection, `${name}/${path}`, 0) })),
  );
  return counts.filter(({ count }) => count >= HOT_AFTER).map(({ path }) => path);
}
