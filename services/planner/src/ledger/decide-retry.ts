import { COUNTED_ENDS, type Handoff, type MergeOutcome, type UsedUp } from "@agentswarm/contracts";
import { maySend, withRecord, type Ledger } from "./ledger.ts";
import type { TaskRecord } from "./task-record.ts";

/** Number of attempts of one task that may fail because of the infrastructure. */
export const TASK_CRASH_LIMIT = 10;
/** Number of attempts of one resolve task that may conflict. Each is a whole attempt and paid for. */
export const CONFLICT_LIMIT = 10;
const FEEDBACK_CHARS = 8_000;

/**
 * The counter of a task that a failed attempt uses up: `attemptsUsed` for a failure of the agent, `crashes` for one of the
 * infrastructure, `conflicts` for a resolve that others overtook.
 */
export type Counter = "attemptsUsed" | "crashes" | "conflicts";

type Conflict = Extract<MergeOutcome, { kind: "conflict" }>;

/** How the ledger answers an attempt that did not land. `counter`: what the retry uses up. */
export type Reaction =
  | { kind: "resolve"; conflict: Conflict }
  | { kind: "hold"; why: string }
  | { kind: "await-budget"; why: string }
  | { kind: "await-answer" }
  | { kind: "retry"; why: string; counter: Counter };

export interface ReactionFacts {
  readonly kind: TaskRecord["task"]["kind"];
  readonly handoff: Pick<Handoff, "end" | "outcome" | "reason" | "summary" | "checks">;
  /** The outcome of the merge; null when the attempt had no commits. */
  readonly outcome: Exclude<MergeOutcome, { kind: "landed" | "already-landed" }> | null;
  /** The budget that the planner knows to be used up. */
  readonly outOfBudget: UsedUp | null;
}

/** Decides what an attempt that did not land leads to. Pure. */
export function decideReaction({ kind, handoff, outcome, outOfBudget }: ReactionFacts): Reaction {
  switch (outcome?.kind) {
    case "conflict":
      // A resolve is never resolved by another: it is retried, and in the end planned again. Its agent did nothing wrong:
      // others landed while it worked.
      return kind === "resolve"
        ? { kind: "retry", why: conflictText(outcome), counter: "conflicts" }
        : { kind: "resolve", conflict: outcome };
    case "held":
      return { kind: "hold", why: outcome.why };
    case "rejected": {
      const why = `The check ${outcome.check} failed on the merged tree:\n${outcome.outputTail}`;
      return { kind: "retry", why, counter: "attemptsUsed" };
    }
    case "unsafe":
      return outcome.lost === true
        ? {
            kind: "retry",
            why: `The work of the attempt before was lost: ${outcome.why}`,
            counter: "crashes",
          }
        : { kind: "retry", why: `The attempt was refused: ${outcome.why}`, counter: "attemptsUsed" };
    case undefined:
      break;
  }
  // The agent cannot do more without a person, and would not the next time either.
  if (waitsForAnswer(handoff)) return { kind: "await-answer" };
  // Re-sent when the budget allows. If the planner does not see the budget as exhausted, fall through to retry.
  if (handoff.end === "budget" && outOfBudget !== null) return { kind: "await-budget", why: outOfBudget.why };
  // Cancellation is written to the ledger first, so a cancelled attempt of an open task was unintended: retry it.
  const isOfAgent = COUNTED_ENDS.has(handoff.end) || handoff.end === "submitted";
  return { kind: "retry", why: failureText(handoff), counter: isOfAgent ? "attemptsUsed" : "crashes" };
}

/** Whether the agent of an attempt waits for an answer: it has asked, or it is blocked. */
export function waitsForAnswer({ end, outcome }: Pick<Handoff, "end" | "outcome">): boolean {
  return end === "parked" || (end === "submitted" && outcome === "blocked");
}

function conflictText({ paths, theirIntent }: Conflict): string {
  return `It conflicts with the trunk in ${paths.map((one) => one.path).join(", ")}.\n${theirIntent}`;
}

function failureText({ reason, summary, checks }: ReactionFacts["handoff"]): string {
  const failed = checks.filter((check) => check.exitCode !== 0);
  const outputs = failed.map((check) => `$ ${check.command} (exit ${check.exitCode})\n${check.outputTail}`);
  return [reason ?? summary, ...outputs].join("\n\n");
}

type Counts = Readonly<Record<Counter, number>>;

/** What happens to a task whose attempt failed. `wait`: it is sent when budget and pause allow. */
type Retry = { kind: "send" | "wait" | "fail"; counts: Counts };

interface RetryFacts {
  readonly counts: Counts;
  readonly counter: Counter;
  readonly attemptBudget: number;
  /** Whether the task may be sent at once. */
  readonly maySend: boolean;
}

/** Decides whether a task with a failed attempt is sent again. Pure. */
export function decideRetry({ attemptBudget, counter, maySend, counts: before }: RetryFacts): Retry {
  const counts = { ...before, [counter]: before[counter] + 1 };
  const limits: Counts = {
    attemptsUsed: attemptBudget,
    crashes: TASK_CRASH_LIMIT,
    conflicts: CONFLICT_LIMIT,
  };
  const isSpent = COUNTERS.some((one) => counts[one] >= limits[one]);
  return { kind: isSpent ? "fail" : maySend ? "send" : "wait", counts };
}

const COUNTERS = ["attemptsUsed", "crashes", "conflicts"] as const satisfies Counter[];

/** Applies decideRetry to a task: the next round has the failure as feedback. */
export function retry(ledger: Ledger, record: TaskRecord, why: string, counter: Counter): Ledger {
  const { attemptsUsed, crashes, conflicts } = record;
  const { kind, counts } = decideRetry({
    counts: { attemptsUsed, crashes, conflicts },
    counter,
    attemptBudget: record.task.attemptBudget,
    maySend: maySend(ledger),
  });
  const feedback = why.slice(-FEEDBACK_CHARS);
  // What failed is begun anew; after a crash the next attempt goes on upon the same work.
  const parked = counter === "crashes" ? record.parked : null;
  const task = { ...record.task, feedback };
  const next: TaskRecord = { ...record, ...counts, task, parked, reason: feedback };
  return withRecord(ledger, record.task.id, afterRetry(next, kind));
}

function afterRetry(record: TaskRecord, kind: Retry["kind"]): TaskRecord {
  switch (kind) {
    case "fail":
      return { ...record, status: "failed" };
    case "wait":
      return { ...record, status: "planned", approvedBy: null, approvedHead: null };
    case "send":
      return sendAgain(record);
  }
}

/** The record in its next round. An approval holds for one round only. */
export function sendAgain(record: TaskRecord): TaskRecord {
  return {
    ...record,
    status: "sent",
    round: record.round + 1,
    approvedBy: null,
    approvedHead: null,
  };
}
