import { shortHash } from "@agentswarm/contracts/node";
import type { PlanMessage } from "@agentswarm/contracts";
import { findRecord } from "../find-tasks.ts";
import { withRecord, type Ledger } from "../ledger.ts";
import type { StepFacts } from "../step-facts.ts";
import { heldCommit, type TaskRecord } from "../task-record.ts";
import { answerDecision } from "./answer-decision.ts";
import { askDecision } from "./ask-decision.ts";
import { openOne } from "./kept-decisions.ts";

const OPTIONS = [
  { id: "approve", label: "land exactly this commit" },
  { id: "refuse", label: "run the task again, with your text as feedback" },
];

/** Asks people about a task whose attempt the merger holds, unless they are asked something about it already. */
export function askAboutHeld(ledger: Ledger, taskId: string, facts: Pick<StepFacts, "at" | "rules">): Ledger {
  const record = findRecord(ledger, taskId);
  if (record === undefined) return ledger;
  const { task, round, lastHandoff, lastOutcome, decisions } = record;
  const head = heldCommit(record);
  if (head === null || lastHandoff === null || lastOutcome?.kind !== "held") return ledger;
  if (openOne(decisions) !== undefined) return ledger;
  const look = `Look at it with \`swarm diff ${task.id} --attempt ${lastHandoff.attempt}\`.`;
  return askDecision(
    ledger,
    {
      kind: "landing",
      taskId: task.id,
      attempt: lastHandoff.attempt,
      nth: round,
      head,
      ask: `Land attempt ${lastHandoff.attempt} of "${task.title}"? ${lastOutcome.why}\n\n${look}`,
      options: OPTIONS,
      default: null,
    },
    facts,
  );
}

type Approval = Extract<PlanMessage, { kind: "approve" }>;

/**
 * Answers the open question about a held attempt, as an `approve` message of a person does. A message about another commit
 * than the one that is held decides nothing: the person has not seen this one. The task's reason then says so.
 */
export function decideHeld(ledger: Ledger, approval: Approval, facts: StepFacts): Ledger {
  const { taskId, decision: option, by, via, reason: text = "", head } = approval;
  // Tasks that a planner of an earlier version held have no decision yet.
  const asked = askAboutHeld(ledger, taskId, facts);
  const record = findRecord(asked, taskId);
  const decision = openOne(record?.decisions ?? [], "landing");
  if (record === undefined || decision === undefined) return ledger;
  const seen = head ?? decision.head;
  const known =
    seen === decision.head ? asked : withRecord(asked, taskId, { reason: lateNews(record, approval) });
  const id = `a-${shortHash(decision.id, by, option, seen ?? "")}`;
  const answer = { id, by, via, role: decision.needs.role, option, text, head: seen };
  return answerDecision(known, { decisionId: decision.id, taskId }, answer, facts);
}

function lateNews(record: TaskRecord, { by, head = "" }: Approval): string {
  const why = record.lastOutcome?.kind === "held" ? record.lastOutcome.why : record.reason;
  const held = heldCommit(record)?.slice(0, 12) ?? "no commit";
  return `${why} (${by} decided on commit ${head.slice(0, 12)}, but ${held} is held: decide again)`;
}
