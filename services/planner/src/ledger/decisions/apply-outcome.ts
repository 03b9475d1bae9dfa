import type { Decision } from "@agentswarm/contracts";
import { retry, sendAgain } from "../decide-retry.ts";
import { findRecord } from "../find-tasks.ts";
import { withRecord, type Ledger } from "../ledger.ts";
import { cancelFeature, giveBudget } from "../person-actions.ts";
import { replan } from "../steps.ts";
import type { StepFacts } from "../step-facts.ts";
import { capOf } from "./budget-cap.ts";
import { applyAnswer } from "../questions.ts";
import type { Decided } from "./decided.ts";
import { approvePlan, refusePlan } from "./plan-approval.ts";

/** Carries out what was decided: what the option of each kind does to the ledger. Pure. */
export function applyOutcome(ledger: Ledger, decision: Decision, decided: Decided, facts: StepFacts): Ledger {
  switch (decision.kind) {
    case "landing":
      return decideLanding(ledger, decision, decided);
    case "plan":
      return decided.option === "approve" ? approvePlan(ledger) : refusePlan(ledger, decided, facts);
    case "budget":
      return decideBudget(ledger, decided, facts);
    case "review":
      return decideReview(ledger, decided, facts);
    case "question":
      return applyAnswer(ledger, decision, decided, facts.at);
  }
}

/** Approves a held attempt, so that it lands, or refuses it, which counts as a failed attempt. */
function decideLanding(ledger: Ledger, { taskId, head }: Decision, { by, option, text }: Decided): Ledger {
  const record = taskId === null ? undefined : findRecord(ledger, taskId);
  if (record?.status !== "held") return ledger;
  const opened: Ledger = ledger.status === "held" ? { ...ledger, status: "building", reason: null } : ledger;
  if (option === "approve") {
    const approved = { approvedBy: by, approvedHead: head, reason: null };
    return withRecord(opened, record.task.id, { ...sendAgain(record), ...approved });
  }
  const why = `refused by ${by ?? "the time-out: nobody answered"}${text === "" ? "" : `: ${text}`}`;
  return retry(opened, record, why, "attemptsUsed");
}

function decideBudget(ledger: Ledger, { by, option, text }: Decided, { at }: StepFacts): Ledger {
  if (option === "cancel") return cancelFeature(ledger, by ?? "the time-out", at);
  const cap = capOf(text);
  return cap === null ? ledger : giveBudget(ledger, cap);
}

function decideReview(ledger: Ledger, { by, option, text }: Decided, { at }: StepFacts): Ledger {
  if (option === "cancel") return cancelFeature(ledger, by ?? "the time-out", at);
  if (option === "replan") return replan(ledger, text || `${by} had it planned again`);
  return { ...ledger, questions: 0 };
}
