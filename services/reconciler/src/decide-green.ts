import type { CheckResult, Sweep } from "@agentswarm/contracts";

/** What a sweep found on the trunk's head. */
export interface Finding {
  readonly outcome: Sweep["outcome"];
  /** Whether refs/heads/green moves to the head that was checked. */
  readonly advance: boolean;
}

/**
 * Green moves only forward and only to a commit whose very tree passed every check of the current list; without
 * any check there is nothing that could vouch for it, and the head is taken as it is.
 */
export function decideGreen(facts: {
  readonly head: string;
  readonly green: string | null;
  readonly greenIsAncestor: boolean;
  readonly results: readonly CheckResult[];
}): Finding {
  const red = facts.results.some((result) => result.exitCode !== 0);
  if (red) return { outcome: "red", advance: false };
  const forward = facts.green === null || (facts.green !== facts.head && facts.greenIsAncestor);
  return { outcome: "green", advance: forward };
}
