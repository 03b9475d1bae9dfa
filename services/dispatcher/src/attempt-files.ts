import { join } from "node:path";
import type { Task } from "@agentswarm/contracts";
import { fetchAttempts, makeBundle, type Bundles } from "@agentswarm/git";
import type { Workshop } from "./workshop.ts";

/** The files on the host that the door of one attempt gives to the agent and receives from it. */
export interface AttemptFiles {
  /** The trunk's history as bundles: all of it, or all but the newest commits and these in `thin`. */
  readonly full: string;
  readonly thin: string | null;
  /** For a resolve: the conflicting commits. */
  readonly resolve: string | null;
  /** The commits that the agent gives. */
  readonly result: string;
}

/** Makes the files that an attempt is given. Those that belong to this attempt alone are the caller's to remove. */
export async function makeAttemptFiles(
  shop: Workshop,
  task: Task,
  { full, thin }: Bundles,
  attempt: number,
): Promise<AttemptFiles> {
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
