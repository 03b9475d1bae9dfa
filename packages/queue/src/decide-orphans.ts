import { idOf } from "./liveness.ts";

/** An active job as Redis has it at one moment. */
export interface ActiveJob {
  readonly id: string;
  /** The name of the worker that took it; null before BullMQ has written it. */
  readonly worker: string | null;
  /** The value of its lock; null when the lock has expired, which is left to BullMQ's stalled check. */
  readonly token: string | null;
}

export interface Workers {
  /** The ids of the connections that are dead, among those whose workers have active jobs. */
  readonly dead: ReadonlySet<string>;
  /** The name of this process's worker; null while nothing is known about its own jobs. */
  readonly ownName: string | null;
  /** `<id> <token>` of the jobs that this process handles. */
  readonly running: { has(key: string): boolean };
}

/** How often in a row a lock was seen without its worker, by `<id> <token>`. */
export type MissingCounts = ReadonlyMap<string, number>;

/** A worker may be seen as dead wrongly once, for example while it connects. */
const LIMIT_FOREIGN = 2;
/** `running` lacks an own job between Redis' answer and the handler's start, and until BullMQ has written its end. */
const LIMIT_OWN = 4;

/**
 * Decides which active jobs have no worker: their worker is dead, or it is this process and the job does not run here, as
 * when a connection broke while Redis handed the job over.
 */
export function decideOrphans(
  active: readonly ActiveJob[],
  { dead, ownName, running }: Workers,
  before: MissingCounts,
): { orphans: { id: string; token: string }[]; missing: MissingCounts } {
  const missing = new Map<string, number>();
  const orphans: { id: string; token: string }[] = [];
  for (const { id, worker, token } of active) {
    if (worker === null || token === null) continue;
    const own = worker === ownName;
    const key = `${id} ${token}`;
    if (own ? running.has(key) : !dead.has(idOf(worker))) continue;
    const count = (before.get(key) ?? 0) + 1;
    missing.set(key, count);
    if (count >= (own ? LIMIT_OWN : LIMIT_FOREIGN)) orphans.push({ id, token });
  }
  return { orphans, missing };
}
