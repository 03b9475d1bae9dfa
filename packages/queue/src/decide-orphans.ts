/** An active job as Redis has it at one moment. */
export interface ActiveJob {
  readonly id: string;
  /** The name of the worker that took it; null before it is noted. */
  readonly holder: string | null;
  /** The lock's value; null when the lock has run out, which is the stalled check's business. */
  readonly token: string | null;
}

export interface Workers {
  /** The names of all workers that are connected now. */
  readonly connected: ReadonlySet<string>;
  readonly ownName: string;
  /** `<id> <token>` of the jobs that this process is really handling. */
  readonly running: ReadonlySet<string>;
}

/** How often in a row a lock was seen with nobody behind it, by `<id> <token>`. */
export type Suspicion = ReadonlyMap<string, number>;

/** A worker may be a moment late in the list of clients. */
const LOOKS_AT_ANOTHERS = 2;
/** Between the server's answer and the handler's start or BullMQ's last word the job is not in `running`. */
const LOOKS_AT_OWN = 4;

/**
 * Which active jobs nobody works at: their worker is gone, or it is ourselves and we know nothing of them, as when
 * a connection broke while Redis was handing the job over.
 */
export function decideOrphans(
  active: readonly ActiveJob[],
  workers: Workers,
  before: Suspicion,
): { orphans: { id: string; token: string }[]; suspicion: Suspicion } {
  const suspicion = new Map<string, number>();
  const orphans: { id: string; token: string }[] = [];
  // Where clients cannot be listed, or we are not among them, nobody can be told to be missing.
  if (!workers.connected.has(workers.ownName)) return { orphans, suspicion };
  for (const { id, holder, token } of active) {
    if (holder === null || token === null) continue;
    const own = holder === workers.ownName;
    const key = `${id} ${token}`;
    if (own ? workers.running.has(key) : workers.connected.has(holder)) continue;
    const looks = (before.get(key) ?? 0) + 1;
    suspicion.set(key, looks);
    if (looks >= (own ? LOOKS_AT_OWN : LOOKS_AT_ANOTHERS)) orphans.push({ id, token });
  }
  return { orphans, suspicion };
}
