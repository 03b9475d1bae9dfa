import { NO_METRICS, NO_NOTES, type Handoff } from "@agentswarm/contracts";

/** A handoff of a complete, submitted attempt without notes or metrics. `fields` adds to it or replaces its fields. */
export function makeHandoff(
  fields: Pick<Handoff, "taskId" | "attempt" | "headCommit"> & Partial<Handoff>,
): Handoff {
  return {
    round: 1,
    outcome: "complete",
    end: "submitted",
    summary: "",
    ...NO_NOTES,
    metrics: NO_METRICS,
    model: "recorded",
    ...fields,
  };
}
