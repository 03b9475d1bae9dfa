import type { EventData, EventToSend } from "@agentswarm/contracts";
import { budgetWaitedFor, findRecord, heldCommit, isUnderWay, type Ledger } from "./ledger.ts";

/** Tasks of a feature by state. Cancelled tasks do not count: they were superseded or replaced by a later plan. */
export function countTasks(ledger: Ledger) {
  const counted = ledger.tasks.filter((record) => record.status !== "cancelled");
  const of = (...statuses: string[]) => counted.filter((record) => statuses.includes(record.status)).length;
  return {
    total: counted.length,
    landed: of("landed"),
    ready: of("ready"),
    underWay: counted.filter(isUnderWay).length,
    failed: of("failed", "blocked"),
    held: of("held"),
  };
}

/** The events of a change of the ledger. Ids are derived from the version, so a repeated event is the same event. */
export function eventsBetween(before: Ledger | null, after: Ledger, version: number): EventToSend[] {
  const featureId = after.feature.id;
  const { repoId } = after.feature;
  const about = { repoId, featureId, ledgerVersion: version };
  const id = (type: string, rest = "") => `${type}-${featureId}-${version}${rest}`;
  const events: EventToSend[] = [];
  if (before === null) {
    events.push({
      id: `feature-submitted-${featureId}`,
      type: "feature.submitted",
      ...about,
      data: { ...after.feature },
    });
  }
  if (before !== null && after.revisions.length > before.revisions.length) {
    const { number, taskIds } = after.revisions.at(-1) ?? { number: 0, taskIds: [] };
    events.push({
      id: id("plan-made"),
      type: "plan.made",
      ...about,
      data: { revision: number, tasks: taskIds.length },
    });
  }
  for (const record of after.tasks) {
    const { task, status, reason, round, attemptsUsed } = record;
    const old = before === null ? undefined : findRecord(before, task.id);
    const mine = { ...about, taskId: task.id };
    if (old === undefined) {
      const { context: _, ...shown } = task;
      events.push({ id: id("task-planned", `-${task.id}`), type: "task.planned", ...mine, data: shown });
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
      events.push({ id: id("task-changed", `-${task.id}`), type: "task.changed", ...mine, data });
    }
  }
  const waiting = budgetWaitedFor(after);
  if (waiting !== null && (before === null || budgetWaitedFor(before) === null)) {
    events.push({ id: id("budget-reached"), type: "budget.reached", ...about, data: { ...waiting } });
  }
  const summary = (ledger: Ledger) => JSON.stringify(summaryOf(ledger));
  if (before === null || summary(before) !== summary(after)) {
    events.push({ id: id("feature-changed"), type: "feature.changed", ...about, data: summaryOf(after) });
  }
  return events;
}

function summaryOf(ledger: Ledger): EventData<"feature.changed"> {
  const { status, costUsd, tokens, finishedAt, forecast } = ledger;
  const { budget } = ledger.feature;
  const waiting = budgetWaitedFor(ledger);
  const reason = waiting === null ? ledger.reason : `waiting: ${waiting.why}`;
  return { status, reason, costUsd, tokens, finishedAt, budget, forecast, counts: countTasks(ledger) };
}
