import { join } from "node:path";
import type { Task } from "@agentswarm/contracts";
import { fetchAttempts, makeBundle, type Bundles } from "@agentswarm/git";
import type { DispatcherRepo } from "./context.ts";

/** The files on the host that the door of one attempt gives to the agent and receives from it. */
export interface AttemptFiles {
  /** The trunk's history up to a checkpoint. */
  readonly full: string;
  /** The history from the checkpoint to the base; null when the base is the checkpoint. */
  readonly thin: string | null;
  /** The conflicting commits, for a resolve task; else null. */
  readonly resolve: string | null;
  /** The commits of the attempt are written to this file. */
  readonly result: string;
}

/** Makes the files of an attempt in `dir`. The caller removes `resolve` and `result`; the others are shared. */
export async function makeAttemptFiles(
  { mirror, store }: Pick<DispatcherRepo, "mirror" | "store">,
  order: { readonly task: Task; readonly attempt: number; readonly bundles: Bundles; readonly dir: string },
): Promise<AttemptFiles> {
  const { task, attempt, dir } = order;
  const { full, thin } = order.bundles;
  const result = join(dir, `result-${task.id}-${attempt}.bundle`);
  const conflict = task.resolve;
  if (conflict === undefined) return { full, thin, resolve: null, result };
  await fetchAttempts(store, mirror.dir, [conflict.ref]);
  const file = join(dir, `resolve-${task.id}-${attempt}.bundle`);
  const resolve = await makeBundle(mirror.dir, conflict.headCommit, conflict.baseCommit, file);
  return { full, thin, resolve, result };
}
