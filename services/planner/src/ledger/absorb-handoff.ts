import { attemptRef, slug, type Handoff, type MergeOutcome, type Task } from "@agentswarm/contracts";
import { taskIdOf } from "@agentswarm/contracts/node";
import { decideReaction, retry, type Reaction } from "./decide-retry.ts";
import { findRecord, openResolves } from "./find-tasks.ts";
import { awaitAnswer } from "./questions.ts";
import { hasEnded, withRecord, type Ledger } from "./ledger.ts";
import { withHeard } from "./notes.ts";
import { splitRevert } from "./revert-feature.ts";
import { isUnderWay, newRecord, type TaskRecord } from "./task-record.ts";

const MAX_SCOPE = 200;

/**
 * Absorbs the result of one attempt. A landing is always recorded, because git is the truth. Anything else counts only
 * if it belongs to the task's current round. Absorbing the same handoff twice changes nothing the second time.
 */
export function absorbHandoff(ledger: Ledger, handoff: Handoff, outcome: MergeOutcome | null): Ledger {
  const record = findRecord(ledger, handoff.taskId);
  if (record === undefined) return ledger;
  const mark = `${handoff.attempt}/${outcome?.kind ?? "none"}`;
  if (record.absorbed.includes(mark)) return ledger;
  // An approved attempt arrives twice, first held and then landed or refused, but its cost counts once.
  const isNew = !record.absorbed.some((one) => one.startsWith(`${handoff.attempt}/`));
  const charged = isNew ? charge(ledger, record, handoff) : ledger;
  const known = {
    ...(findRecord(charged, handoff.taskId) ?? record),
    absorbed: [...record.absorbed, mark],
    heard: withHeard(ledger, record, handoff.heard),
  };
  const noted = withRecord(charged, handoff.taskId, known);
  if (record.status === "landed") return noted;
  const news = { lastHandoff: handoff, lastOutcome: outcome };
  if (outcome?.kind === "landed" || outcome?.kind === "already-landed") {
    const others = outcome.kind === "already-landed" && outcome.empty === true;
    const reason = others ? "the trunk had every change of it already: nothing was left to land" : null;
    const landed = { ...news, status: "landed" as const, commit: outcome.commit, reason };
    return dismissStandIn(withRecord(noted, handoff.taskId, landed), record);
  }
  if (handoff.round !== record.round || hasEnded(ledger) || !isUnderWay(record)) return noted;
  const current = { ...known, ...news };
  const { outOfBudget } = ledger;
  const reaction = decideReaction({ kind: record.task.kind, handoff, outcome, outOfBudget });
  return carryOutReaction(withRecord(noted, handoff.taskId, current), current, handoff, reaction);
}

/** Cancels the resolve of a task that has landed itself. */
function dismissStandIn(ledger: Ledger, { task, supersededBy }: TaskRecord): Ledger {
  const other = supersededBy === null ? undefined : findRecord(ledger, supersededBy);
  if (other === undefined || other.status === "landed" || other.status === "cancelled") return ledger;
  return withRecord(ledger, other.task.id, { status: "cancelled", reason: `${task.id} has landed itself` });
}

function carryOutReaction(ledger: Ledger, record: TaskRecord, handoff: Handoff, reaction: Reaction): Ledger {
  const { id } = record.task;
  switch (reaction.kind) {
    case "resolve":
      if (record.task.kind === "revert" && (record.task.revert?.commits.length ?? 0) > 1)
        return splitRevert(
          ledger,
          record,
          reaction.conflict.paths.map(({ path }) => path),
        );
      return supersede(ledger, record, handoff, reaction.conflict);
    case "hold":
      return withRecord(ledger, id, { status: "held", reason: reaction.why });
    case "await-budget":
      return withRecord(ledger, id, { status: "planned", reason: reaction.why });
    case "await-answer":
      return awaitAnswer(ledger, record, handoff);
    case "retry":
      return retry(ledger, record, reaction.why, reaction.counter);
  }
}

/** Adds the cost of an attempt to its task and to the feature. */
function charge(ledger: Ledger, record: TaskRecord, { metrics }: Handoff): Ledger {
  const add = (to: { costUsd: number; tokens: number }) => ({
    costUsd: to.costUsd + metrics.costUsd,
    tokens: to.tokens + metrics.tokensIn + metrics.tokensOut,
  });
  return withRecord({ ...ledger, ...add(ledger) }, record.task.id, add(record));
}

/**
 * Answers a conflict with one resolve task that takes the place of the first. Resolves that change the same file run
 * one after another: side by side all but one of them would conflict again.
 */
function supersede(
  ledger: Ledger,
  record: TaskRecord,
  handoff: Handoff,
  outcome: Extract<MergeOutcome, { kind: "conflict" }>,
): Ledger {
  const task = resolveTask(ledger, record, handoff, outcome);
  const reason = `superseded by ${task.id}: it conflicts in ${outcome.paths.map((one) => one.path).join(", ")}`;
  const cleared = withRecord(ledger, record.task.id, { status: "cancelled", reason, supersededBy: task.id });
  if (findRecord(cleared, task.id) !== undefined) return cleared;
  const paths = new Set(outcome.paths.map((one) => one.path));
  const before = openResolves(cleared).findLast((one) =>
    one.task.resolve?.paths.some((path) => paths.has(path)),
  );
  const after = before === undefined ? [] : [before.task.id];
  // What people said to the task, and answered, is for the one that takes its place.
  const { notes } = record;
  const answers = record.answers.map((one) => ({ ...one, round: 0 }));
  const resolve = { ...newRecord(task, record.signature, after), notes, answers };
  return { ...cleared, tasks: [...cleared.tasks, resolve] };
}

function resolveTask(
  ledger: Ledger,
  { task }: TaskRecord,
  handoff: Handoff,
  outcome: Extract<MergeOutcome, { kind: "conflict" }>,
): Task {
  const key = `${slug(task.key, 56)}-resolve`;
  const paths = outcome.paths.map((one) => one.path);
  const scope = task.scope.length === 0 ? [] : [...new Set([...task.scope, ...paths])];
  return {
    ...task,
    id: taskIdOf(ledger.feature.id, handoff.attempt, `${task.id}-resolve`),
    parentId: task.id,
    key,
    kind: "resolve",
    title: task.title,
    scope: scope.length > MAX_SCOPE ? [] : scope,
    dependsOn: [],
    feedback: "",
    resolve: {
      taskId: task.id,
      attempt: handoff.attempt,
      ref: attemptRef(task.id, handoff.attempt),
      baseCommit: outcome.base,
      headCommit: handoff.headCommit ?? outcome.base,
      paths,
      ourIntent: `${task.title}\n${task.description}\n${handoff.summary}`.slice(0, 8_000),
      theirIntent: outcome.theirIntent || "(not known)",
    },
  };
}
