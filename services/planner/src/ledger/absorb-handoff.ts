import {
  attemptRef,
  COUNTED_ENDS,
  slug,
  type Handoff,
  type MergeOutcome,
  type Task,
} from "@agentswarm/contracts";
import { taskIdOf } from "@agentswarm/contracts/node";
import {
  findRecord,
  hasEnded,
  isOpen,
  isUnderWay,
  newRecord,
  withRecord,
  type Ledger,
  type TaskRecord,
} from "./ledger.ts";
import { sendAgain, settle } from "./settle.ts";

/** How often the machine may fail a task before it is given up on. */
const CRASH_BUDGET = 10;
const FEEDBACK_CHARS = 8_000;
const MAX_SCOPE = 200;

/**
 * Takes in what came of one attempt. A landing is always recorded, for git is the truth; anything else counts only
 * if it belongs to the round the task is in. Absorbing the same handoff twice changes nothing the second time.
 */
export function absorbHandoff(ledger: Ledger, handoff: Handoff, outcome: MergeOutcome | null): Ledger {
  const record = findRecord(ledger, handoff.taskId);
  if (record === undefined) return ledger;
  const mark = `${handoff.attempt}/${outcome?.kind ?? "none"}`;
  if (record.absorbed.includes(mark)) return ledger;
  // An approved attempt comes twice, first held and then settled, but has cost once.
  const isNew = !record.absorbed.some((one) => one.startsWith(`${handoff.attempt}/`));
  const charged = isNew ? charge(ledger, record, handoff) : ledger;
  const known = { ...(findRecord(charged, handoff.taskId) ?? record), absorbed: [...record.absorbed, mark] };
  const noted = withRecord(charged, handoff.taskId, known);
  if (record.status === "landed") return noted;
  const news = { lastHandoff: handoff, lastOutcome: outcome };
  if (outcome?.kind === "landed" || outcome?.kind === "already-landed") {
    const landed = { ...news, status: "landed" as const, commit: outcome.commit, reason: null };
    return settle(dismissStandIn(withRecord(noted, handoff.taskId, landed), record));
  }
  if (handoff.round !== record.round || hasEnded(ledger) || !isUnderWay(record)) return noted;
  const current = { ...known, ...news };
  return settle(react(withRecord(noted, handoff.taskId, current), current, handoff, outcome));
}

/** What was to take the place of a task after a conflict is not needed once the task has landed itself. */
function dismissStandIn(ledger: Ledger, { task, supersededBy }: TaskRecord): Ledger {
  const other = supersededBy === null ? undefined : findRecord(ledger, supersededBy);
  if (other === undefined || other.status === "landed" || other.status === "cancelled") return ledger;
  return withRecord(ledger, other.task.id, { status: "cancelled", reason: `${task.id} has landed itself` });
}

function react(ledger: Ledger, record: TaskRecord, handoff: Handoff, outcome: MergeOutcome | null): Ledger {
  const { id } = record.task;
  switch (outcome?.kind) {
    case "conflict":
      // Never a resolve of a resolve: it is carried out anew on the newest trunk, and over budget planning has it.
      if (record.task.kind === "resolve") return retry(ledger, record, conflictText(outcome), true);
      return supersede(ledger, record, handoff, outcome);
    case "held":
      return withRecord(ledger, id, { status: "held", reason: outcome.why });
    case "rejected":
      return retry(
        ledger,
        record,
        `The check ${outcome.check} failed on the merged tree:\n${outcome.outputTail}`,
        true,
      );
    case "unsafe":
      return retry(ledger, record, `The attempt was refused: ${outcome.why}`, true);
    default:
      break;
  }
  // It is sent again as soon as there is money. Where the planner knows of no want of it, something is wrong.
  if (handoff.end === "budget" && ledger.waiting !== null)
    return withRecord(ledger, id, { status: "planned", reason: ledger.waiting.why });
  // Who cancels a task writes so in the ledger first; a cancelled attempt of an open task was nobody's wish.
  return retry(
    ledger,
    record,
    whatWentWrong(handoff),
    COUNTED_ENDS.has(handoff.end) || handoff.end === "submitted",
  );
}

function whatWentWrong({ reason, summary, checks }: Handoff): string {
  const failed = checks.filter((check) => check.exitCode !== 0);
  const outputs = failed.map((check) => `$ ${check.command} (exit ${check.exitCode})\n${check.outputTail}`);
  return [reason ?? summary, ...outputs].join("\n\n");
}

/** Adds what an attempt has cost to its task and to the feature. */
function charge(ledger: Ledger, record: TaskRecord, { metrics }: Handoff): Ledger {
  const add = (to: { costUsd: number; tokens: number }) => ({
    costUsd: to.costUsd + metrics.costUsd,
    tokens: to.tokens + metrics.tokensIn + metrics.tokensOut,
  });
  return withRecord({ ...ledger, ...add(ledger) }, record.task.id, add(record));
}

/** Sends the task again with what went wrong, while its budget of attempts lasts; later, while there is no money. */
export function retry(ledger: Ledger, record: TaskRecord, why: string, counted: boolean): Ledger {
  const attemptsUsed = record.attemptsUsed + (counted ? 1 : 0);
  const crashes = record.crashes + (counted ? 0 : 1);
  const spent = attemptsUsed >= record.task.attemptBudget || crashes >= CRASH_BUDGET;
  const task = { ...record.task, feedback: why.slice(-FEEDBACK_CHARS) };
  const next = { ...record, task, attemptsUsed, crashes, reason: why.slice(-FEEDBACK_CHARS) };
  if (spent) return withRecord(ledger, record.task.id, { ...next, status: "failed" });
  const again =
    ledger.waiting === null ? sendAgain(next) : { ...next, status: "planned" as const, approvedBy: null };
  return withRecord(ledger, record.task.id, again);
}

function conflictText(outcome: Extract<MergeOutcome, { kind: "conflict" }>): string {
  return `It conflicts with the trunk in ${outcome.paths.map((one) => one.path).join(", ")}.\n${outcome.theirIntent}`;
}

/**
 * Answers a conflict with one task that settles it and takes the place of the first. Resolves of the same file queue up
 * behind each other: done at once all but one of them would conflict again.
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
  const before = cleared.tasks.findLast(
    (one) => isOpen(one) && one.task.resolve?.paths.some((path) => paths.has(path)) === true,
  );
  const after = before === undefined ? [] : [before.task.id];
  return { ...cleared, tasks: [...cleared.tasks, newRecord(task, record.signature, after)] };
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
