import { isTrunkHealth, type Decision } from "@agentswarm/contracts";
import { budgetWaitedFor, hasEnded, withRecord, type Ledger } from "../ledger.ts";
import type { StepFacts } from "../step-facts.ts";
import type { TaskRecord } from "../task-record.ts";
import { askAboutWaiting } from "../questions.ts";
import { askDecision } from "./ask-decision.ts";
import { askAboutHeld } from "./held-landing.ts";
import { isOpen, openOne, withDecisions, withdrawn } from "./kept-decisions.ts";
import { holdForPlan } from "./plan-approval.ts";

/** What every step does for decisions: it asks what it made necessary, and withdraws what has lost its object. */

/** Decisions about the feature as a whole. Applied before tasks are settled, because a plan that waits sends none. */
export function tendFeature(before: Ledger | null, ledger: Ledger, facts: StepFacts): Ledger {
  return askForBudget(withdrawGone(holdForPlan(before, ledger, facts), facts.at), facts);
}

function withdrawGone(ledger: Ledger, at: number): Ledger {
  const gone = ledger.decisions.some((one) => isOpen(one) && whyGone(ledger, one) !== null);
  if (!gone) return ledger;
  const decisions = ledger.decisions.map((one) => {
    const why = isOpen(one) ? whyGone(ledger, one) : null;
    return why === null ? one : withdrawn(one, why, at);
  });
  return withDecisions(ledger, null, decisions);
}

function whyGone(ledger: Ledger, { kind }: Decision): string | null {
  if (hasEnded(ledger))
    return `the feature is ${ledger.status}${ledger.reason === null ? "" : `: ${ledger.reason}`}`;
  if (ledger.revert !== null && kind !== "budget") return "the feature is reverted";
  if (kind === "budget" && budgetWaitedFor(ledger) === null) return "the feature has budget again";
  return kind === "plan" && ledger.status !== "held" ? "the feature is planned again" : null;
}

const BUDGET_OPTIONS = [
  { id: "raise", label: "go on with a higher cap, which is your text: 20 (US dollars) or 5000000 tokens" },
  { id: "cancel", label: "cancel the feature" },
];

/** Asks once for each cap that is used up. That of the whole swarm is a setting, which no answer changes. */
function askForBudget(ledger: Ledger, facts: StepFacts): Ledger {
  const waits = facts.rules.budgets ? budgetWaitedFor(ledger) : null;
  if (waits?.level !== "feature" || isTrunkHealth(ledger.feature.id)) return ledger;
  // Without the sum, which grows while calls that were under way come in.
  const cap = waits.why.replace(/ \([^)]*\)$/, "");
  const asked = ledger.decisions.some(
    ({ kind, state, ask }) => kind === "budget" && state !== "withdrawn" && ask.startsWith(`${cap}.`),
  );
  if (asked) return ledger;
  return askDecision(
    ledger,
    {
      kind: "budget",
      taskId: null,
      attempt: null,
      nth: facts.version,
      head: null,
      ask: `${cap}. Nothing of the feature is sent before it has budget again.`,
      options: BUDGET_OPTIONS,
      default: null,
    },
    facts,
  );
}

/** Decisions about the tasks that were read. Applied after tasks are settled. */
export function tendTasks(before: Ledger | null, ledger: Ledger, facts: StepFacts): Ledger {
  let tended = ledger;
  for (const record of ledger.tasks) {
    const open = openOne(record.decisions);
    const why = open === undefined ? null : whyTaskGone(before, record, open);
    if (open !== undefined && why !== null) {
      const decisions = record.decisions.map((one) => (one === open ? withdrawn(one, why, facts.at) : one));
      tended = withRecord(tended, record.task.id, { decisions });
    }
    if (record.status !== "held") continue;
    tended = askAboutWaiting(askAboutHeld(tended, record.task.id, facts), record.task.id, facts);
  }
  return tended;
}

/** Null: the decision still has its object. */
function whyTaskGone(before: Ledger | null, record: TaskRecord, open: Decision): string | null {
  const { status, round, commit, reason, lastHandoff, lastOutcome } = record;
  if (status === "landed") return `the task has landed as ${commit?.slice(0, 12) ?? "a commit"}`;
  if (status === "cancelled" || status === "failed" || status === "blocked")
    return `the task is ${status}${reason === null ? "" : `: ${reason}`}`;
  if (open.kind === "landing") {
    const held =
      status === "held" && lastHandoff?.attempt === open.attempt && lastHandoff.headCommit === open.head;
    return held ? null : "the task is run again";
  }
  if (status === "held" && lastOutcome?.kind === "held") return "the attempt went on without the answer";
  const old = before?.tasks.find(({ task }) => task.id === record.task.id);
  if (status !== "sent" && status !== "held") return "the attempt that asked has ended";
  return old !== undefined && old.round !== round ? "the task is run again" : null;
}
