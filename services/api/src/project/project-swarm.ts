import type { DomainEvent } from "@agentswarm/contracts";
import { addCost } from "./cost-table.ts";
import { EMPTY_REPO, NO_TOTALS, type RepoView, type Totals } from "./views.ts";

/** The swarm's totals after an event; the same object when nothing changes. Each event is to come once: totals add up. */
export function projectTotals(before: Totals | null, event: DomainEvent): Totals | null {
  const totals = before ?? NO_TOTALS;
  if (event.type === "model.used") return { ...totals, costs: addCost(totals.costs, event.data) };
  if (event.type === "budget.reached" && event.data.level === "swarm")
    return { ...totals, budgetReached: { ...event.data, at: event.at } };
  // A commit that the merger found again after a crash was counted when it was published.
  if (event.type === "landing.landed" && event.data.kind === "landed")
    return { ...totals, landings: totals.landings + 1 };
  return before;
}

/** The trunk of the event's repository after it; the same object when nothing changes. */
export function projectRepo(before: RepoView | null, event: DomainEvent): RepoView | null {
  const repo = before ?? EMPTY_REPO;
  if (event.type === "landing.landed" && event.data.kind === "landed")
    return { ...repo, trunk: event.data.commit };
  // The sweep that moved green names it, so `trunk.green` says nothing new.
  if (event.type === "sweep.finished") {
    const { outcome, head, green } = event.data;
    return {
      trunk: repo.trunk ?? head,
      green: green ?? repo.green,
      lastSweep: { at: event.at, outcome, head },
    };
  }
  return before;
}
