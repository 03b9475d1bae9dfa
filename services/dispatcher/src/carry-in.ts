import { join } from "node:path";
import type { Task } from "@agentswarm/contracts";
import { fetchAttempts, makeBundle, type Bundles } from "@agentswarm/git";
import type { Files } from "./serve-door.ts";
import type { Workshop } from "./workshop.ts";

/** Makes the files that an attempt is given: the trunk's history as bundles, for a resolve the conflicting commits too. */
export async function carryIn(
  shop: Workshop,
  task: Task,
  { full, thin }: Bundles,
  attempt: number,
): Promise<Files> {
  const { mirror, store, bundlesDir } = shop;
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
