import type { DomainEvent } from "@agentswarm/contracts";
import { isOfOtherViews } from "./is-of-other-views.ts";
import { addCost } from "./cost-table.ts";
import type { FeatureView } from "./views.ts";

/** Number of actions of people that a feature shows. */
const SHOWN_ACTIONS = 20;
const NO_COUNTS = { total: 0, ready: 0, underWay: 0, landed: 0, failed: 0, held: 0 };

/**
 * A feature's view after an event; the same object when nothing changes, and null while the feature is unknown. Costs are
 * added up, so each event is to come once; the order does not matter once the feature is known.
 */
export function projectFeature(view: FeatureView | null, event: DomainEvent): FeatureView | null {
  if (event.type === "feature.submitted") {
    return (
      view ?? {
        ...event.data,
        status: "queued",
        reason: null,
        counts: NO_COUNTS,
        costUsd: 0,
        tokens: 0,
        finishedAt: null,
        ledgerVersion: 0,
        forecast: null,
        revert: null,
        costs: {},
        budgetReached: null,
        actions: [],
      }
    );
  }
  if (view === null) return null;
  if (isOfOtherViews(event)) return view;
  switch (event.type) {
    case "feature.changed": {
      const version = event.ledgerVersion ?? 0;
      // Events may overtake each other; the ledger's version orders them.
      return version <= view.ledgerVersion ? view : { ...view, ...event.data, ledgerVersion: version };
    }
    case "person.acted": {
      const actions = [...view.actions, { ...event.data, at: event.at }].toSorted((a, b) => a.at - b.at);
      return { ...view, actions: actions.slice(-SHOWN_ACTIONS) };
    }
    case "budget.reached": {
      // The bound of one attempt shows with the attempt.
      const isNewer = event.data.level !== "task" && event.at > (view.budgetReached?.at ?? 0);
      return isNewer ? { ...view, budgetReached: { ...event.data, at: event.at } } : view;
    }
    case "model.used":
      return { ...view, costs: addCost(view.costs, event.data) };
    case "message.dead-lettered": {
      // A feature with a ledger goes on: the planner's audit knows it.
      if (view.ledgerVersion > 0) return view;
      const { code, message } = event.data;
      const reason = `the planner could not take the feature in (swarm jobs retry sends it again): ${code}: ${message}`;
      return { ...view, status: "failed", reason, finishedAt: event.at };
    }
    case "task.planned":
    case "plan.made":
    case "plan.rejected":
    case "task.sent":
    case "task.changed":
    case "attempt.started":
    case "attempt.progressed":
    case "attempt.ended":
    case "landing.landed":
    case "landing.conflicted":
    case "landing.rejected":
    case "landing.held":
    case "gate.flaked":
    case "sweep.finished":
    case "trunk.green":
    case "trunk.rewritten":
    case "backend.opened":
    case "backend.closed":
      return view;
    default:
      return event satisfies never;
  }
}
