import { stat } from "node:fs/promises";
import { join } from "node:path";
import { packRefs } from "./pack-refs.ts";
import { pruneObjects } from "./prune-objects.ts";

const DAY_MS = 24 * 3_600_000;
/** As long as `git gc` keeps objects that no ref holds. */
const OBJECTS_KEPT_MS = 14 * DAY_MS;

/**
 * Packs a repository unless that was done within a day, and removes the objects that no ref has held for two weeks: those
 * of landings and attempts that were not published, and of a history that the trunk left. Returns whether it was due.
 */
export async function packDaily(dir: string, signal?: AbortSignal): Promise<boolean> {
  // The commit graph is written last, so its age is the time since the last time.
  const graph = await stat(join(dir, "objects/info/commit-graph")).catch(() => null);
  if (graph !== null && Date.now() - graph.mtimeMs < DAY_MS) return false;
  await pruneObjects(dir, Date.now() - OBJECTS_KEPT_MS, signal);
  await packRefs(dir, signal);
  return true;
}
