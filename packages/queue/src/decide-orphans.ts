/** An active job as Redis has it at one moment. */
export interface ActiveJob {
  readonly id: string;
  /** The name of the worker that took it; null before BullMQ has written it. */
  readonly worker: string | null;
  /** The value of its lock; null when the lock has expired, which is left to BullMQ's stalled check. */
  readonly token: string | null;
}

export interface Workers {
  /** The names of all workers that are connected now. */
  readonly connected: ReadonlySet<string>;
  readonly ownName: string;
  /** `<id> <token>` of the jobs that this process handles. */
  readonly running: ReadonlySet<string>;
}

/** How often in a row a lock was seen without its worker, by `<id> <token>`. */
export type MissingCounts = ReadonlyMap<string, number>;

/** A worker may be listed among the clients a moment late. */
const LIMIT_FOREIGN = 2;
/** `running` lacks an own job between Redis' answer and the handler's start, and until BullMQ has written its end. */
const LIMIT_OWN = 4;

/**
 * Decides which active jobs have no worker: their worker is disconnected, or it is this process and the job does not run
 * here, as when a connection broke while Redis handed the job over.
 */
export function decideOrphans(
  active: readonly ActiveJob[],
  workers: Workers,
  before: MissingCounts,
): { orphans: { id: string; token: string }[]; missing: MissingCounts } {
  const missing = new Map<string, number>();
  const orphans: { id: string; token: string }[] = [];
  // Without this process in it the list of clients is incomplete or unavailable, so it proves nothing about others.
  if (!workers.connected.has(workers.ownName)) return { orphans, missing };
  for (const { id, worker, token } of active) {
    if (worker === null || token === null) continue;
    const own = worker === workers.ownName;
    const key = `${id} ${token}`;
    if (own ? workers.running.has(key) : workers.connected.has(worker)) continue;
    const count = (before.get(key) ?? 0) + 1;
    missing.set(key, count);
    if (count >= (own ? LIMIT_OWN : LIMIT_FOREIGN)) orphans.push({ id, token });
  }
  return { orphans, missing };
}
