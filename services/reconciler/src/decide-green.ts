import type { CheckResult, Sweep } from "@agentswarm/contracts";

/** The outcome of a sweep, and whether green moves. */
interface GreenDecision {
  readonly outcome: Sweep["outcome"];
  /** Whether refs/heads/green moves to the head that was checked. */
  readonly advance: boolean;
}

/**
 * Decides whether green moves: only forward, and only to a commit whose own tree passed every check of the current
 * list. With an empty list the head counts as green.
 */
export function decideGreen(facts: {
  readonly head: string;
  readonly green: string | null;
  readonly greenIsAncestor: boolean;
  readonly results: readonly CheckResult[];
}): GreenDecision {
  const red = facts.results.some((result) => result.exitCode !== 0);
  if (red) return { outcome: "red", advance: false };
  const forward = facts.green === null || (facts.green !== facts.head && facts.greenIsAncestor);
  return { outcome: "green", advance: forward };
}
