import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Task } from "@agentswarm/contracts";
import { bundleFor, fetchAttempts, makeBundle } from "@agentswarm/git";
import type { Files } from "./serve-door.ts";
import type { Workshop } from "./workshop.ts";

/** Makes the files that an attempt is given: history as bundles, for a resolve the conflicting commits too. */
export async function carryIn(
  shop: Workshop,
  task: Task,
  baseCommit: string,
  attempt: number,
): Promise<Files> {
  const { mirror, store, bundlesDir } = shop;
  await mkdir(bundlesDir, { recursive: true });
  const { full, thin } = await bundleFor({ repoDir: mirror.dir, commit: baseCommit, cacheDir: bundlesDir });
  const result = join(bundlesDir, `result-${task.id}-${attempt}.bundle`);
  const { resolve } = task;
  if (resolve === undefined) return { full, thin, resolve: null, result };
  await fetchAttempts(store, mirror.dir, [resolve.ref]);
  const file = join(bundlesDir, `resolve-${task.id}-${attempt}.bundle`);
  return {
    full,
    thin,
    resolve: await makeBundle(mirror.dir, resolve.headCommit, resolve.baseCommit, file),
    result,
  };
}
