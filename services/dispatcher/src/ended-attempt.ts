import type { Handoff, MergeOutcome } from "@agentswarm/contracts";
import type { TakenCommits } from "./take-commits.ts";

/** An attempt that has ended, before it is passed on. */
export type EndedAttempt = RanAttempt | UnopenedAttempt;

/** An agent ran, or the dispatcher made the commit that a person ordered. */
export interface RanAttempt extends TakenCommits {
  readonly kind: "ran";
  readonly baseCommit: string;
  /** Questions whose default holds because nobody answered in time: the landing says so. */
  readonly byDefault: string[];
  /** The person whose order made this very commit, so that it waits for no other approval. */
  readonly orderedBy?: string;
}

/** The attempt ended without the work of an agent: cancelled before its start, out of budget, or failed to start. */
export interface UnopenedAttempt {
  readonly kind: "unopened";
  readonly handoff: Handoff;
  /** What the dispatcher found out without an agent: a revert that conflicts, or has nothing left to take back. */
  readonly outcome?: MergeOutcome;
}
