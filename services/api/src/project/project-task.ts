import { z } from "zod";
import {
  handoffSchema,
  subjectOf,
  taskSchema,
  taskStatusSchema,
  type DomainEvent,
} from "@agentswarm/contracts";
import { addCost } from "./cost-table.ts";
import type { AttemptView, TaskView } from "./views.ts";

const changedSchema = z.object({
  status: taskStatusSchema,
  reason: z.string().nullable(),
  round: z.int(),
  attemptsUsed: z.int(),
  supersededBy: z.string().nullable(),
});
const startedSchema = z.object({ sandboxId: z.string(), baseCommit: z.string(), round: z.int() });
const landedSchema = z.object({ commit: z.string() });

/** A task's view after an event; the same object when the event tells it nothing. */
export function projectTask(view: TaskView | null, event: DomainEvent): TaskView | null {
  if (event.type === "task.planned") {
    const planned = taskSchema.safeParse(event.data);
    if (!planned.success || view !== null) return view;
    const { context: _, ...task } = planned.data;
    return {
      ...task,
      status: "planned",
      reason: null,
      round: 0,
      attemptsUsed: 0,
      supersededBy: null,
      commit: null,
      attempts: [],
      ledgerVersion: 0,
    };
  }
  if (view === null) return null;
  switch (event.type) {
    case "task.changed": {
      const changed = changedSchema.safeParse(event.data);
      const version = event.ledgerVersion ?? 0;
      if (!changed.success || version <= view.ledgerVersion) return view;
      return { ...view, ...changed.data, ledgerVersion: version };
    }
    case "attempt.started": {
      const started = startedSchema.safeParse(event.data);
      if (!started.success) return view;
      return withAttempt(view, event, { ...started.data, startedAt: event.at });
    }
    case "attempt.ended": {
      const handoff = handoffSchema.safeParse(event.data);
      return withAttempt(view, event, { endedAt: event.at, handoff: handoff.success ? handoff.data : null });
    }
    case "landing.landed": {
      const landed = landedSchema.safeParse(event.data);
      const commit = landed.success ? landed.data.commit : view.commit;
      return { ...withAttempt(view, event, { outcome: event.data }), commit };
    }
    case "landing.conflicted":
    case "landing.rejected":
    case "landing.held":
      return withAttempt(view, event, { outcome: event.data });
    default:
      return view;
  }
}

/** What a `model.used` adds to an attempt. To be called once per event, unlike the above. */
export function addTaskCost(view: TaskView | null, event: DomainEvent): TaskView | null {
  if (view === null || event.type !== "model.used" || event.attempt === undefined) return view;
  const before = view.attempts.find((one) => one.attempt === event.attempt)?.costs ?? {};
  return withAttempt(view, event, { costs: addCost(before, event.data) });
}

function withAttempt(view: TaskView, event: DomainEvent, change: Partial<AttemptView>): TaskView {
  const { attempt } = subjectOf(event);
  if (attempt === undefined) return view;
  const old = view.attempts.find((one) => one.attempt === attempt);
  const fresh = {
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
  const { sandboxId, baseCommit, round, startedAt, endedAt, costs, handoff, outcome } = {
    ...fresh,
    ...old,
    ...change,
  };
  const next: AttemptView = {
    attempt,
    sandboxId,
    baseCommit,
    round,
    startedAt,
    endedAt,
    costs,
    handoff,
    outcome,
  };
  const others = view.attempts.filter((one) => one.attempt !== attempt);
  return { ...view, attempts: [...others, next].toSorted((a, b) => a.attempt - b.attempt) };
}
