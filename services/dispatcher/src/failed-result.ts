import { HANDOFF_LIMITS, NO_METRICS, NO_NOTES, type AgentResult } from "@agentswarm/contracts";

/** The result of an attempt whose sandbox gave no usable result. */
export function failedResult(end: AgentResult["end"], reason: string): AgentResult {
  return {
    outcome: "failed",
    end,
    reason: reason.slice(0, HANDOFF_LIMITS.reasonChars),
    summary: "",
    ...NO_NOTES,
    metrics: NO_METRICS,
    headCommit: null,
  };
}
