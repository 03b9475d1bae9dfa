import type { DomainEvent } from "@agentswarm/contracts";
import { isOfOtherViews } from "./is-of-other-views.ts";
import { addCost } from "./cost-table.ts";
import type { AttemptView, TaskView } from "./views.ts";

/**
 * A task's view after an event; the same object when nothing changes, and null while the task is unknown. Costs are added
 * up, so each event is to come once; the order does not matter once the task is known.
 */
export function projectTask(view: TaskView | null, event: DomainEvent): TaskView | null {
  if (event.type === "task.planned") {
    return (
      view ?? {
        ...event.data,
        status: "planned",
        reason: null,
        round: 0,
        attemptsUsed: 0,
        supersededBy: null,
        commit: null,
        heldCommit: null,
        attempts: [],
        changedAt: null,
        ledgerVersion: 0,
      }
    );
  }
  if (view === null) return null;
  if (isOfOtherViews(event)) return view;
  switch (event.type) {
    case "task.changed": {
      const version = event.ledgerVersion ?? 0;
      if (version <= view.ledgerVersion) return view;
      return { ...view, ...event.data, changedAt: event.at, ledgerVersion: version };
    }
    case "attempt.started": {
      const { sandboxId, baseCommit, round } = event.data;
      const change = { sandboxId, baseCommit, startedAt: event.at };
      return withAttempt(view, event.attempt, { ...change, round: newestRound(view, event.attempt, round) });
    }
    case "attempt.ended": {
      const {
        sentTo: _,
        sandbox: _sandbox,
        sentToReadyMs: _ready,
        sentToWorkMs: _work,
        ...handoff
      } = event.data;
      // The event may overtake the attempt's start, which names the round too.
      const round = newestRound(view, event.attempt, handoff.round);
      // An approval ends the attempt a second time, but its agent ended at the first.
      const endedAt = Math.min(event.at, findAttempt(view, event.attempt)?.endedAt ?? event.at);
      return withAttempt(view, event.attempt, { round, endedAt, handoff });
    }
    case "landing.landed": {
      const landed = withAttempt(view, event.attempt, { outcome: event.data });
      return { ...landed, commit: event.data.commit };
    }
    case "landing.conflicted":
    case "landing.rejected":
    case "landing.held":
      return withAttempt(view, event.attempt, { outcome: event.data });
    case "model.used": {
      if (event.attempt === undefined) return view;
      const before = findAttempt(view, event.attempt)?.costs ?? {};
      return withAttempt(view, event.attempt, { costs: addCost(before, event.data) });
    }
    case "feature.submitted":
    case "feature.changed":
    case "person.acted":
    case "plan.made":
    case "plan.rejected":
    // A change of the task comes with it.
    case "task.sent":
    case "attempt.progressed":
    case "gate.flaked":
    case "sweep.finished":
    case "trunk.green":
    case "trunk.rewritten":
    case "budget.reached":
    case "backend.opened":
    case "backend.closed":
    case "message.dead-lettered":
      return view;
    default:
      return event satisfies never;
  }
}

function findAttempt(view: TaskView, attempt: number): AttemptView | undefined {
  return view.attempts.find((one) => one.attempt === attempt);
}

/** The newest round in which an attempt was sent: a person's approval sends it again. */
function newestRound(view: TaskView, attempt: number, round: number): number {
  return Math.max(round, findAttempt(view, attempt)?.round ?? 0);
}

function withAttempt(view: TaskView, attempt: number, change: Partial<AttemptView>): TaskView {
  const known = findAttempt(view, attempt) ?? {
    attempt,
    round: null,
    startedAt: null,
    endedAt: null,
    sandboxId: null,
    baseCommit: null,
    costs: {},
    handoff: null,
    outcome: null,
  };
  const others = view.attempts.filter((one) => one.attempt !== attempt);
  const attempts = [...others, { ...known, ...change }].toSorted((a, b) => a.attempt - b.attempt);
  return { ...view, attempts };
}
