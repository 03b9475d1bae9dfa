import type { DomainEvent } from "@agentswarm/contracts";
import { addCost } from "./cost-table.ts";
import type { AttemptView, TaskView } from "./views.ts";

/** A task's view after an event; the same object when nothing changes. The same event may come twice. */
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
        attempts: [],
        ledgerVersion: 0,
      }
    );
  }
  if (view === null) return null;
  switch (event.type) {
    case "task.changed": {
      const version = event.ledgerVersion ?? 0;
      return version <= view.ledgerVersion ? view : { ...view, ...event.data, ledgerVersion: version };
    }
    case "attempt.started": {
      const { sandboxId, baseCommit, round } = event.data;
      return withAttempt(view, event.attempt, { sandboxId, baseCommit, round, startedAt: event.at });
    }
    case "attempt.ended": {
      const { sandbox: _, sentToReadyMs: _ready, sentToWorkMs: _work, ...handoff } = event.data;
      // The event may overtake the attempt's start, which names the round too.
      return withAttempt(view, event.attempt, { round: handoff.round, endedAt: event.at, handoff });
    }
    case "landing.landed": {
      const landed = withAttempt(view, event.attempt, { outcome: event.data });
      return { ...landed, commit: event.data.commit };
    }
    case "landing.conflicted":
    case "landing.rejected":
    case "landing.held":
      return withAttempt(view, event.attempt, { outcome: event.data });
    case "feature.submitted":
    case "feature.changed":
    case "plan.made":
    case "plan.rejected":
    // A change of the task comes with it.
    case "task.sent":
    case "attempt.progressed":
    case "gate.flaked":
    case "sweep.finished":
    case "trunk.green":
    case "model.used":
    case "budget.reached":
    case "backend.opened":
    case "backend.closed":
    case "message.dead-lettered":
      return view;
    default:
      return event satisfies never;
  }
}

/** The costs that a `model.used` adds to an attempt. Call it once per event, unlike `projectTask`. */
export function addTaskCost(view: TaskView | null, event: DomainEvent): TaskView | null {
  if (view === null || event.type !== "model.used" || event.attempt === undefined) return view;
  const before = view.attempts.find((one) => one.attempt === event.attempt)?.costs ?? {};
  return withAttempt(view, event.attempt, { costs: addCost(before, event.data) });
}

function withAttempt(view: TaskView, attempt: number, change: Partial<AttemptView>): TaskView {
  const known = view.attempts.find((one) => one.attempt === attempt) ?? {
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
