import { NO_METRICS, NO_NOTES, type AgentResult } from "@agentswarm/contracts";

/** The longest reason that a result may carry, in characters. */
export const MAX_REASON_CHARS = 20_000;

/** The result of an attempt whose sandbox gave no usable result. */
export function failedResult(end: AgentResult["end"], reason: string): AgentResult {
  return {
    outcome: "failed",
    end,
    reason: reason.slice(0, MAX_REASON_CHARS),
    summary: "",
    ...NO_NOTES,
    metrics: NO_METRICS,
    headCommit: null,
  };
}
