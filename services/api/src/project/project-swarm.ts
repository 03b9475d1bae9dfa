import type { DomainEvent } from "@agentswarm/contracts";
import { addCost } from "./cost-table.ts";
import { EMPTY_REPO, type RepoView, type SwarmView } from "./views.ts";

const KEPT_LANDINGS = 5_000;
const HOUR_MS = 3_600_000;

/** The swarm's totals after an event. Call it once per event, behind the log: totals add up. */
export function projectSwarm(view: SwarmView, event: DomainEvent): SwarmView {
  switch (event.type) {
    case "model.used":
      return { ...view, costs: addCost(view.costs, event.data) };
    case "budget.reached":
      return event.data.level === "swarm"
        ? { ...view, budgetReached: { ...event.data, at: event.at } }
        : view;
    case "attempt.started":
      return { ...view, live: { ...view.live, [event.taskId]: event.attempt } };
    case "attempt.ended": {
      if (view.live[event.taskId] !== event.attempt) return view;
      const { [event.taskId]: _, ...live } = view.live;
      return { ...view, live };
    }
    case "landing.landed": {
      // A commit that the merger found again after a crash was counted when it was published.
      if (event.data.kind !== "landed") return view;
      const landedAt = [...view.landedAt, event.at].slice(-KEPT_LANDINGS);
      const landed = withRepo(view, event.repoId, () => ({ trunk: event.data.commit }));
      return { ...landed, landings: view.landings + 1, landedAt };
    }
    case "landing.conflicted": {
      return withRepo(view, event.repoId, (repo) => {
        const hotFiles = { ...repo.hotFiles };
        for (const { path } of event.data.paths) hotFiles[path] = (hotFiles[path] ?? 0) + 1;
        return { hotFiles };
      });
    }
    case "sweep.finished": {
      const { outcome, head, green } = event.data;
      return withRepo(view, event.repoId, (repo) => ({
        trunk: repo.trunk ?? head,
        green: green ?? repo.green,
        lastSweep: { at: event.at, outcome, head },
      }));
    }
    case "feature.submitted":
    case "feature.changed":
    case "plan.made":
    case "plan.rejected":
    case "task.planned":
    case "task.sent":
    case "task.changed":
    case "attempt.progressed":
    case "landing.rejected":
    case "landing.held":
    case "gate.flaked":
    // The sweep that moved green names it.
    case "trunk.green":
    case "trunk.rewritten":
    case "backend.opened":
    case "backend.closed":
    case "message.dead-lettered":
    // They are read where the services write them: `openWaiting`.
    case "task.waiting":
    case "feature.waiting":
    case "trunk.waiting":
      return view;
    default:
      return event satisfies never;
  }
}

function withRepo(view: SwarmView, repoId: string, change: (repo: RepoView) => Partial<RepoView>): SwarmView {
  const repo = view.repos[repoId] ?? EMPTY_REPO;
  return { ...view, repos: { ...view.repos, [repoId]: { ...repo, ...change(repo) } } };
}

/** Landings within the last hour of `now`. */
export function landingsLastHour(view: SwarmView, now: number): number {
  return view.landedAt.filter((at) => at > now - HOUR_MS).length;
}
