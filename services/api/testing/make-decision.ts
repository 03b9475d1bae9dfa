import {
  decisionSchema,
  DEFAULT_REPO,
  domainEventSchema,
  type AnswerRefusal,
  type Decision,
  type DomainEvent,
} from "@agentswarm/contracts";

/** The commit that a made landing decision is about. */
export const LOOKED_AT = "a".repeat(40);

/** A decision whether an attempt lands, as the planner asks it; `more` says what is different. */
export function makeDecision(id: string, more: Partial<Decision> = {}): Decision {
  return decisionSchema.parse({
    id,
    kind: "landing",
    repoId: DEFAULT_REPO,
    featureId: "feature-1",
    taskId: "feature-1-t0",
    attempt: 1,
    head: LOOKED_AT,
    ask: "Attempt 1 changes package.json. May it land?",
    options: [
      { id: "approve", label: "It lands" },
      { id: "refuse", label: "It does not land" },
    ],
    default: null,
    askedAt: Date.parse("2026-11-21T12:00:00Z"),
    dueAt: null,
    onTimeout: "hold",
    needs: { role: "reviewer", count: 1, notBy: [] },
    state: "open",
    outcome: null,
    endedAt: null,
    endReason: null,
    ...more,
  });
}

type DecisionEventType = Extract<DomainEvent["type"], `decision.${string}`>;

/** The event of a change of a decision, as the planner sends it with this version of its ledger. */
export function decisionEvent(
  type: DecisionEventType,
  decision: Decision,
  ledgerVersion: number,
): DomainEvent {
  return domainEventSchema.parse({
    id: `${type}-${decision.id}-${ledgerVersion}`,
    type,
    repoId: decision.repoId,
    featureId: decision.featureId,
    ledgerVersion,
    at: decision.askedAt + ledgerVersion,
    actor: "test",
    data: { decision },
  });
}

/** The event of an answer that decided nothing. */
export function refusedEvent(decision: Decision, refusal: AnswerRefusal): DomainEvent {
  return domainEventSchema.parse({
    id: `answer-refused-${refusal.answerId}`,
    type: "answer.refused",
    repoId: decision.repoId,
    featureId: decision.featureId,
    at: decision.askedAt,
    actor: "test",
    data: { decisionId: decision.id, ...refusal },
  });
}

/** A decision that `by` has ended with this option. */
export function answered(decision: Decision, by: string, option: string, endedAt: number): Decision {
  const { head } = decision;
  const answer = {
    id: `answer-${by}`,
    by,
    via: "rest",
    role: "admin",
    option,
    text: "",
    head,
    at: endedAt,
  } as const;
  const outcome = { option, text: "" };
  return { ...decision, state: "answered", answers: [...decision.answers, answer], outcome, endedAt };
}
