import { setTimeout as sleep } from "node:timers/promises";
import type { AnsweredDecision, AnswerInput } from "@agentswarm/contracts";
import { answerIdOf } from "@agentswarm/contracts/node";
import type { Person } from "./auth/person.ts";
import type { ApiContext } from "./context.ts";
import { outcomeOf, refuseAnswer, type GivenAnswer } from "./judge-answer.ts";
import { withoutInternals } from "./project/list-decisions.ts";
import type { DecisionView } from "./project/views.ts";

/** Within the time that a handler has; see `redis-deadline.ts`. */
const WAIT_MS = 8_000;
const FIRST_LOOK_MS = 40;
const LOOK_EVERY_MS = 250;

interface AnswerContext {
  readonly connection: Pick<ApiContext["connection"], "now">;
  readonly sender: Pick<ApiContext["sender"], "send">;
  readonly model: Pick<ApiContext["model"], "decision">;
}

interface Answering extends AnswerInput {
  readonly person: Person;
  /** The head that was looked at. */
  readonly head: string | null;
  /** The same key gives the same answer. */
  readonly idempotencyKey: string;
  /** How long the outcome is waited for; by default 8 seconds. */
  readonly waitMs?: number;
}

/**
 * Sends a person's answer to the planner and waits some seconds until it is known whether it counts. Throws the Problem of
 * an answer that does not.
 */
export async function answerDecision(
  { connection, sender, model }: AnswerContext,
  decision: DecisionView,
  { person, head, idempotencyKey, option, text = "", waitMs = WAIT_MS }: Answering,
): Promise<AnsweredDecision> {
  const { id: decisionId, featureId } = decision;
  const { by, via, role } = person;
  const answerId = answerIdOf(decisionId, by, idempotencyKey);
  const given: GivenAnswer = { id: answerId, by, via, role, option: option ?? null, text, head };
  if (outcomeOf(decision, answerId) === null) {
    refuseAnswer(decision, given, await connection.now());
    await sender.send("plan", { kind: "answer", featureId, decisionId, answer: given });
  }
  const endsAt = performance.now() + waitMs;
  for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(2 * pauseMs, LOOK_EVERY_MS)) {
    const now = (await model.decision(decisionId)) ?? decision;
    const counted = outcomeOf(now, answerId) === "counted";
    if (counted || performance.now() >= endsAt) return { ...withoutInternals(now), answerId, counted };
    await sleep(pauseMs);
  }
}
