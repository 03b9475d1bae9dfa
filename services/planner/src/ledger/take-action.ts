import type { Budget, PersonAction, PlanMessage } from "@agentswarm/contracts";
import { cancelTask } from "./cancel-task.ts";
import type { Ledger } from "./ledger.ts";
import { noteAction } from "./note-action.ts";
import { cancelFeature, giveBudget, retryTask } from "./person-actions.ts";
import { retryFeature } from "./retry-feature.ts";
import { revertFeature } from "./revert-feature.ts";
import type { StepFacts } from "./step-facts.ts";

const ACTIONS = {
  cancel: "cancel",
  "cancel-task": "cancel-task",
  budget: "budget",
  retry: "retry-task",
  "retry-feature": "retry",
  revert: "revert",
} as const satisfies Partial<Record<PlanMessage["kind"], PersonAction["action"]>>;

/** A message in which a person has something done to a feature or a task. */
export type ActionMessage = Extract<PlanMessage, { kind: keyof typeof ACTIONS }>;

/** The ledger after what a person has had done, with the event that says who did it. Pure. */
export function takeAction(ledger: Ledger, message: ActionMessage, { at }: Pick<StepFacts, "at">): Ledger {
  const { kind, by, via } = message;
  const taskId = "taskId" in message ? message.taskId : null;
  return noteAction(
    ledger,
    act(ledger, message, at),
    { action: ACTIONS[kind], by, via, taskId, why: whyOf(message) },
    at,
  );
}

function act(ledger: Ledger, message: ActionMessage, at: number): Ledger {
  const { by, via } = message;
  switch (message.kind) {
    case "cancel":
      return cancelFeature(ledger, by, at, message.why);
    case "cancel-task":
      return cancelTask(ledger, message.taskId, by, message.why);
    case "budget":
      return giveBudget(ledger, message.budget);
    case "retry":
      return retryTask(ledger, message.taskId, by);
    case "retry-feature":
      return retryFeature(ledger, by);
    case "revert":
      return revertFeature(ledger, { by, via, why: message.why, at });
  }
}

function whyOf(message: ActionMessage): string {
  if (message.kind === "budget") return capsOf(message.budget);
  return "why" in message ? message.why : "";
}

/** Example: `at most 5 US dollars`. */
function capsOf({ usd, tokens }: Budget): string {
  const caps = [usd === undefined ? [] : `${usd} US dollars`, tokens === undefined ? [] : `${tokens} tokens`];
  return `at most ${caps.flat().join(" and ")}`;
}
