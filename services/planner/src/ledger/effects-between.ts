import { jobId, type Budget, type Note } from "@agentswarm/contracts";
import { changedDecisions, isOpen, type DecisionChange } from "./decisions/kept-decisions.ts";
import { whenDue } from "./decisions/when-due.ts";
import { eventsBetween, recordsById } from "./events-between.ts";
import { countShown } from "./find-tasks.ts";
import { newNotes } from "./note-events.ts";
import { answerNotes } from "./questions.ts";
import { changedTasks, type Ledger } from "./ledger.ts";
import { isUnderWay, type TaskRecord } from "./task-record.ts";
import type { Effect } from "./effect.ts";

/**
 * The effects that a step of the ledger requires: sends tasks of a new round, cancels rounds that are not needed any more,
 * requests a sweep when a feature begins to wait for green or a fix or a revert has landed, sets caps, has decisions looked at when
 * something is due and emits events. Ids are derived. Pure.
 */
export function effectsBetween(before: Ledger | null, after: Ledger, version: number): Effect[] {
  const effects: Effect[] = [];
  const olds = recordsById(before);
  for (const record of changedTasks(before, after)) {
    const { id } = record.task;
    const old = olds.get(id);
    if (record.status === "sent" && record.round > (old?.round ?? 0)) {
      effects.push({ kind: "send", taskId: id, round: record.round });
    }
    if (old !== undefined && isUnderWay(old) && isNeedless(record)) {
      effects.push({ kind: "cancel", taskId: id, round: record.round });
    }
    const news = [...newNotes(old?.notes, record.notes), ...newAnswers(old, record)];
    if (news.length > 0 && old?.round === record.round && isUnderWay(record))
      effects.push({ kind: "signal", taskId: id, noteIds: news.map((note) => note.id) });
    const repairs = record.signature !== null || record.task.revert !== undefined;
    if (record.status === "landed" && old?.status !== "landed" && repairs) {
      effects.push({ kind: "sweep", why: "nudge", jobId: jobId.sweepAfterFix(id) });
    }
    effects.push(...changedDecisions(old?.decisions, record.decisions).flatMap(dueEffect));
  }
  effects.push(...changedDecisions(before?.decisions, after.decisions).flatMap(dueEffect));
  if (after.status === "verifying" && before?.status !== "verifying") {
    effects.push({
      kind: "sweep",
      why: "last-task",
      jobId: jobId.sweepAfterLastTask(after.feature.id, version),
    });
  }
  const news = newNotes(before?.notes, after.notes);
  if (news.length > 0 && countShown(after, ["sent"]) > 0)
    effects.push({ kind: "signal", taskId: null, noteIds: news.map(({ id }) => id) });
  const { budget } = after.feature;
  if (budget !== undefined && !sameBudget(budget, before?.feature.budget))
    effects.push({ kind: "cap", version });
  const events = eventsBetween(before, after, version).map((event): Effect => ({ kind: "emit", event }));
  return [...effects, ...events];
}

function newAnswers(old: TaskRecord | undefined, record: TaskRecord): readonly Note[] {
  if (old?.answers === record.answers) return [];
  const known = new Set(old?.answers.map(({ decisionId }) => decisionId));
  return answerNotes(record).filter(({ answers }) => answers !== null && !known.has(answers));
}

function dueEffect({ old, now }: DecisionChange): Effect[] {
  const [was, at] = [old === undefined ? null : whenDue(old), whenDue(now)];
  const { id: decisionId, reminded: nth } = now;
  if (at !== null && at !== was) return [{ kind: "due", decisionId, nth, at }];
  return was !== null && !isOpen(now) ? [{ kind: "not-due", decisionId, nth }] : [];
}

function sameBudget(a: Budget, b: Budget | undefined): boolean {
  return a.usd === b?.usd && a.tokens === b?.tokens;
}

/** Whether the round that was under way is not needed any more: cancelled, or landed by an attempt of an earlier round. */
function isNeedless({ status, supersededBy, lastHandoff, round }: TaskRecord): boolean {
  if (status === "landed") return lastHandoff?.round !== round;
  return status === "cancelled" && supersededBy === null;
}

/** The sendings whose round was cancelled meanwhile, perhaps before its job existed: their jobs are cancelled after all. */
export function cancelledMeanwhile(
  sent: readonly Extract<Effect, { kind: "send" }>[],
  newest: ReadonlyMap<string, TaskRecord>,
): Extract<Effect, { kind: "send" }>[] {
  return sent.filter(({ taskId, round }) => {
    const record = newest.get(taskId);
    return record?.status === "cancelled" && record.round === round;
  });
}

/**
 * Two effects with the same id are the same effect.
 * @testonly
 */
export function effectId(effect: Effect): string {
  switch (effect.kind) {
    case "send":
    case "cancel":
      return `${effect.kind}/${effect.taskId}/${effect.round}`;
    case "sweep":
      return `sweep/${effect.jobId}`;
    case "due":
    case "not-due":
      return `${effect.kind}/${effect.decisionId}/${effect.nth}`;
    case "signal":
      return `signal/${effect.taskId}/${effect.noteIds.join("+")}`;
    case "cap":
      return `cap/${effect.version}`;
    case "emit":
      return `emit/${effect.event.id}`;
  }
}
