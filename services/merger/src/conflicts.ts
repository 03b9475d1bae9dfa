import { HOT_AFTER } from "@agentswarm/contracts";
import { nextNumber } from "@agentswarm/queue";
import type { Workshop } from "./workshop.ts";

/** Counts a conflict in each of these files, and names those that are hot: so many conflicts that they want splitting. */
export async function noteConflicts({ connection }: Workshop, paths: readonly string[]): Promise<string[]> {
  const counts = await Promise.all(
    paths.map(async (path) => ({ path, count: await nextNumber(connection, `conflicts/${path}`, 0) })),
  );
  return counts.filter(({ count }) => count >= HOT_AFTER).map(({ path }) => path);
}
