import type { CheckResult, Sweep } from "@agentswarm/contracts";

/** The outcome of a sweep, and how green moves. */
interface GreenDecision {
  readonly outcome: Sweep["outcome"];
  /**
   * `forward`: refs/heads/green moves to the head that was checked. `rebase`: the same, although the head does not
   * descend from green, because the trunk was rewritten.
   */
  readonly move: "forward" | "rebase" | "none";
}

/**
 * Decides whether green moves: only to a commit of the trunk whose own tree passed every check of the current list. With
 * an empty list the head counts as green.
 */
export function decideGreen(facts: {
  readonly head: string;
  /** Null: there is none yet. */
  readonly green: string | null;
  /** Whether the trunk's history contains green. */
  readonly greenIsOnTrunk: boolean;
  readonly results: readonly CheckResult[];
}): GreenDecision {
  const { head, green, greenIsOnTrunk, results } = facts;
  if (results.some((result) => result.exitCode !== 0)) return { outcome: "red", move: "none" };
  if (green !== null && !greenIsOnTrunk) return { outcome: "green", move: "rebase" };
  return { outcome: "green", move: green === head ? "none" : "forward" };
}
