import type { Round } from "./rounds.ts";

/** A round whose attempts' commits are to be removed. */
export interface ExpiredRound {
  /** As `Rounds.forget` takes it. */
  readonly key: string;
  readonly taskId: string;
  readonly attempts: readonly number[];
}

/** Rounds that one turn removes at most; the next turn goes on. */
const MOST = 10_000;

/**
 * The rounds of which nothing happened for `keptMs`, by the dispatcher's own notes: the date in a commit is only the
 * agent's claim. The attempts of a task in use stay, however old: it waits for a person, for money, or for another task.
 */
export function expiredRounds(
  rounds: ReadonlyMap<string, Round & { readonly taskId: string }>,
  inUse: ReadonlySet<string>,
  { now, keptMs, most = MOST }: { readonly now: number; readonly keptMs: number; readonly most?: number },
): ExpiredRound[] {
  return [...rounds]
    .filter(([, { taskId, at }]) => now - at >= keptMs && !inUse.has(taskId))
    .slice(0, most)
    .map(([key, { taskId, attempts }]) => ({ key, taskId, attempts }));
}
