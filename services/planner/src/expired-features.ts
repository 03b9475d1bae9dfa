/** A feature that has ended. */
export interface EndedFeature {
  readonly id: string;
  /** Redis time. */
  readonly finishedAt: number;
}

/** The newest of them stay, however old: a planner without any ledger takes Redis for wiped. */
const ALWAYS_KEPT = 100;
/** Features that one turn removes at most; the next turn goes on. */
const MOST = 1_000;

/** The features whose ledgers are to be removed: those that ended before `before`, the oldest first. */
export function expiredFeatures<F extends EndedFeature>(
  ended: readonly F[],
  before: number,
  { alwaysKept = ALWAYS_KEPT, most = MOST } = {},
): F[] {
  return ended
    .toSorted((a, b) => a.finishedAt - b.finishedAt)
    .slice(0, Math.max(0, ended.length - alwaysKept))
    .filter(({ finishedAt }) => finishedAt < before)
    .slice(0, most);
}
