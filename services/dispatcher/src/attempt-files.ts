import { join } from "node:path";
import { attemptRef, type ParkedWork, type Task } from "@agentswarm/contracts";
import { fetchAttempts, makeBundle, type Bundles } from "@agentswarm/git";
import type { DispatcherRepo } from "./context.ts";

/** The files on the host that the door of one attempt gives to the agent and receives from it. */
export interface AttemptFiles {
  /** The trunk's history up to a checkpoint. */
  readonly full: string;
  /** The history from the checkpoint to the base; null when the base is the checkpoint. */
  readonly thin: string | null;
  /** Commits to merge into the work tree: parked work, or the conflicting attempt of a resolve task; else null. */
  readonly resolve: string | null;
  /** The commits of the attempt are written to this file. */
  readonly result: string;
}

export interface MadeFiles extends AttemptFiles {
  /** The parked work in `resolve`; null when there is none, or the store has lost it. */
  readonly upon: ParkedWork | null;
}

/** Makes the files of an attempt in `dir`. The caller removes `resolve` and `result`; the others are shared. */
export async function makeAttemptFiles(
  { mirror, store }: Pick<DispatcherRepo, "mirror" | "store">,
  order: {
    readonly task: Task;
    readonly attempt: number;
    readonly upon?: ParkedWork | undefined;
    readonly bundles: Bundles;
    readonly dir: string;
  },
): Promise<MadeFiles> {
  const { task, attempt, dir } = order;
  const { full, thin } = order.bundles;
  const result = join(dir, `result-${task.id}-${attempt}.bundle`);
  const file = join(dir, `resolve-${task.id}-${attempt}.bundle`);
  const { upon } = order;
  if (
    upon !== undefined &&
    (await fetchAttempts(store, mirror.dir, [attemptRef(task.id, upon.attempt)])).length === 0
  ) {
    const resolve = await makeBundle(mirror.dir, upon.headCommit, upon.baseCommit, file);
    return { full, thin, resolve, upon, result };
  }
  const conflict = task.resolve;
  if (conflict === undefined) return { full, thin, resolve: null, upon: null, result };
  await fetchAttempts(store, mirror.dir, [conflict.ref]);
  const resolve = await makeBundle(mirror.dir, conflict.headCommit, conflict.baseCommit, file);
  return { full, thin, resolve, upon: null, result };
}
