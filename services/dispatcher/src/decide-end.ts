import { agentResultSchema, NO_METRICS, type AgentResult } from "@agentswarm/contracts";

export interface AttemptFacts {
  /** What the sandbox gave as its result; undefined when it gave none. */
  readonly result: unknown;
  readonly exit: { readonly code: number | null; readonly signal: string | null };
  readonly cancelled: boolean;
  readonly overrun: "wall" | "idle" | null;
  /** Which bound of the gateway was reached, or null. */
  readonly overBudget: string | null;
  readonly stderrTail: string;
}

/** How an attempt ended, from what is known outside the sandbox; what the sandbox says comes last. */
export function decideEnd(facts: AttemptFacts): AgentResult {
  if (facts.cancelled) return without("cancelled", "cancelled");
  if (facts.overrun === "wall") return without("limit-reached", "the attempt took longer than its wall time");
  if (facts.overrun === "idle") return without("limit-reached", "the agent gave no sign of life for its idle time");
  if (facts.result === undefined) {
    const tail = facts.stderrTail.trim();
    const how = facts.exit.signal === null ? `exit ${facts.exit.code}` : facts.exit.signal;
    return without("lost", `the sandbox ended without a result (${how})${tail === "" ? "" : `: ${tail}`}`);
  }
  const parsed = agentResultSchema.safeParse(facts.result);
  if (!parsed.success) return without("failed", `the sandbox's result cannot be read: ${parsed.error.message}`);
  if (facts.overBudget !== null && parsed.data.headCommit === null) {
    return { ...parsed.data, end: "limit-reached", reason: facts.overBudget };
  }
  return parsed.data;
}

function without(end: AgentResult["end"], reason: string): AgentResult {
  return {
    outcome: "failed",
    end,
    reason: reason.slice(0, 20_000),
    summary: "",
    did: [],
    deviations: [],
    concerns: [],
    suggestions: [],
    filesChanged: [],
    checks: [],
    metrics: NO_METRICS,
    headCommit: null,
  };
}
