import { describePause, type EventData, type EventToSend } from "@agentswarm/contracts";
import { budgetWaitedFor, changedTasks, hasEnded, type Ledger } from "./ledger.ts";
import { countShown, revisionNumber } from "./find-tasks.ts";
import { decisionEvents } from "./decisions/decision-events.ts";
import { noteEvents } from "./note-events.ts";
import { heldCommit, type TaskRecord } from "./task-record.ts";

/** Tasks of a feature by state. Cancelled tasks do not count: they were superseded or replaced by a later plan. */
export function countTasks(ledger: Ledger) {
  const of = (...statuses: TaskRecord["status"][]) => countShown(ledger, statuses);
  return {
    total: of("planned", "ready", "sent", "held", "landed", "failed", "blocked"),
    landed: of("landed"),
    ready: of("ready"),
    underWay: of("sent"),
    failed: of("failed", "blocked"),
    held: of("held"),
  };
}

/** The tasks that were read, by their ids. */
export function recordsById(ledger: Ledger | null): ReadonlyMap<string, TaskRecord> {
  return new Map(ledger?.tasks.map((record) => [record.task.id, record]));
}

/**
 * The events of a change of the ledger. Ids are derived from the version of the task or else of the head, so a repeated
 * event is the same event.
 */
export function eventsBetween(before: Ledger | null, after: Ledger, version: number): EventToSend[] {
  const featureId = after.feature.id;
  const { repoId } = after.feature;
  const about = { repoId, featureId, ledgerVersion: version };
  const id = (type: string) => `${type}-${featureId}-${version}`;
  const events: EventToSend[] = [];
  if (before === null) {
    events.push({
      id: `feature-submitted-${featureId}`,
      type: "feature.submitted",
      ...about,
      data: { ...after.feature },
    });
  }
  if (before !== null && revisionNumber(after) > revisionNumber(before)) {
    const { number, taskIds } = after.revisions.at(-1) ?? { number: 0, taskIds: [] };
    events.push({
      id: id("plan-made"),
      type: "plan.made",
      ...about,
      data: { revision: number, tasks: taskIds.length },
    });
  }
  const olds = recordsById(before);
  for (const record of changedTasks(before, after)) {
    const { task, status, reason, round, attemptsUsed } = record;
    const old = olds.get(task.id);
    const taskVersion = after.rest === undefined ? version : (after.rest.versions.get(task.id) ?? 0) + 1;
    const mine = { ...about, taskId: task.id, ledgerVersion: taskVersion };
    const taskEvent = (type: string) => `${type}-${featureId}-${taskVersion}-${task.id}`;
    if (old === undefined) {
      const { context: _, ...shown } = task;
      events.push({ id: taskEvent("task-planned"), type: "task.planned", ...mine, data: shown });
    }
    if (round > (old?.round ?? 0)) {
      events.push({ id: `task-sent-${task.id}-${round}`, type: "task.sent", ...mine, data: { round } });
    }
    if (old === undefined || old.status !== status || old.round !== round || old.reason !== reason) {
      const data = {
        status,
        reason,
        round,
        attemptsUsed,
        supersededBy: record.supersededBy,
        heldCommit: heldCommit(record),
      };
      events.push({ id: taskEvent("task-changed"), type: "task.changed", ...mine, data });
    }
    events.push(...noteEvents(old?.notes, old === undefined ? [] : record.notes, about, task.id));
    const { ledgerVersion } = mine;
    events.push(...decisionEvents(old?.decisions, record.decisions, { ...about, ledgerVersion }));
  }
  const waiting = budgetWaitedFor(after);
  if (waiting !== null && (before === null || budgetWaitedFor(before) === null)) {
    events.push({ id: id("budget-reached"), type: "budget.reached", ...about, data: { ...waiting } });
  }
  events.push(...decisionEvents(before?.decisions, after.decisions, about));
  events.push(...noteEvents(before?.notes, after.notes, about, null));
  const summary = (ledger: Ledger) => JSON.stringify(summaryOf(ledger));
  if (before === null || summary(before) !== summary(after)) {
    events.push({ id: id("feature-changed"), type: "feature.changed", ...about, data: summaryOf(after) });
  }
  return events;
}

function whyPaused(ledger: Ledger): string | null {
  const { feature, paused } = ledger;
  if (paused === null || hasEnded(ledger)) return null;
  return `waiting: ${describePause({ kind: "feature", featureId: feature.id }, paused)}`;
}

/** What people see of a feature. */
export function summaryOf(ledger: Ledger): EventData<"feature.changed"> {
  const { status, costUsd, tokens, finishedAt, forecast, revert: asked } = ledger;
  const { budget } = ledger.feature;
  const waiting = budgetWaitedFor(ledger)?.why ?? (hasEnded(ledger) ? null : ledger.outOfReviews);
  const reason = whyPaused(ledger) ?? (waiting === null ? ledger.reason : `waiting: ${waiting}`);
  const revert = asked && { by: asked.by, via: asked.via, why: asked.why, at: asked.at };
  const counts = countTasks(ledger);
  return { status, reason, costUsd, tokens, finishedAt, budget, forecast, revert, counts };
}
