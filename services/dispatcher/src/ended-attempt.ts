import type { Handoff } from "@agentswarm/contracts";
import type { TakenCommits } from "./take-commits.ts";

/** An attempt that has ended, before it is passed on. */
export type EndedAttempt = RanAttempt | UnopenedAttempt;

/** An agent ran. */
export interface RanAttempt extends TakenCommits {
  readonly kind: "ran";
  readonly baseCommit: string;
  /** Questions whose default holds because nobody answered in time: the landing says so. */
  readonly byDefault: string[];
}

/** The attempt ended without the work of an agent: cancelled before its start, out of budget, or failed to start. */
export interface UnopenedAttempt {
  readonly kind: "unopened";
  readonly handoff: Handoff;
}
