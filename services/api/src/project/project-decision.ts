import type { DomainEvent } from "@agentswarm/contracts";
import type { DecisionView } from "./views.ts";

/** The newest refused answers that a decision's view keeps; who gave one waits for it some seconds only. */
const REFUSALS_KEPT = 200;

/** The id of the decision that an event is about; null when it is about none. */
export function decisionIdOf(event: DomainEvent): string | null {
  switch (event.type) {
    case "decision.asked":
    case "decision.answered":
    case "decision.reminded":
    case "decision.timed-out":
    case "decision.withdrawn":
      return event.data.decision.id;
    case "answer.refused":
      return event.data.decisionId;
    default:
      return null;
  }
}

/**
 * A decision's view after an event; the same object when nothing changes, and null while the decision is unknown. Events
 * of a decision carry the whole of it, so they may overtake each other and come twice.
 */
export function projectDecision(view: DecisionView | null, event: DomainEvent): DecisionView | null {
  switch (event.type) {
    case "decision.asked":
    case "decision.answered":
    case "decision.reminded":
    case "decision.timed-out":
    case "decision.withdrawn": {
      const ledgerVersion = event.ledgerVersion ?? 0;
      if (view !== null && ledgerVersion < view.ledgerVersion) return view;
      return { ...event.data.decision, ledgerVersion, refusals: view?.refusals ?? [] };
    }
    case "answer.refused": {
      if (view === null) return null;
      const { answerId, by, code, why } = event.data;
      const others = view.refusals.filter((one) => one.answerId !== answerId);
      return { ...view, refusals: [...others, { answerId, by, code, why }].slice(-REFUSALS_KEPT) };
    }
    default:
      return view;
  }
}

/** What the indexes of decisions are made of. */
export type DecisionPlace = Pick<
  DecisionView,
  "id" | "kind" | "featureId" | "taskId" | "state" | "askedAt" | "dueAt" | "endedAt"
>;

export function placeOf({
  id,
  kind,
  featureId,
  taskId,
  state,
  askedAt,
  dueAt,
  endedAt,
}: DecisionView): DecisionPlace {
  return { id, kind, featureId, taskId, state, askedAt, dueAt, endedAt };
}
