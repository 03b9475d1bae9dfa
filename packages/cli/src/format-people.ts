import type { FeatureDetail, PersonAction, ShownAction } from "@agentswarm/contracts";
import { oneLine } from "./format-reason.ts";

/** Who submitted a feature and by which way, and what people did to it and its tasks. */
export function formatPeople({ by, source, actions }: FeatureDetail): string[] {
  const submitted = by === undefined ? [] : [`submitted by ${by} (${source})`];
  return [...submitted, ...actions.map(formatAction)].map(oneLine);
}

function formatAction(done: ShownAction): string {
  const { at, by, via, why } = done;
  return `${new Date(at).toISOString()} ${by} (${via}) ${whatOf(done)}${why === "" ? "" : `: ${why}`}`;
}

function whatOf({ action, taskId }: PersonAction): string {
  switch (action) {
    case "cancel":
      return "cancelled it";
    case "retry":
      return "retried it";
    case "budget":
      return "changed its budget";
    case "revert":
      return "reverted it";
    case "cancel-task":
      return `cancelled the task ${taskId}`;
    case "retry-task":
      return `retried the task ${taskId}`;
  }
}
