import {
  describeEnd,
  includesRole,
  type AnswerRefusal,
  type Decision,
  type DecisionAnswer,
} from "@agentswarm/contracts";
import { Problem } from "./problem.ts";
import type { DecisionView } from "./project/views.ts";

/** An answer as it is sent to the planner, which stamps it. */
export type GivenAnswer = Omit<DecisionAnswer, "at">;

const STATUS = {
  "decided-already": 409,
  "head-changed": 412,
  "not-allowed": 403,
  "no-such-option": 422,
} as const satisfies Record<AnswerRefusal["code"], number>;

/**
 * Throws the Problem for an answer that cannot count, by what the views show. The planner judges again: the decision may
 * have changed meanwhile. `now`: milliseconds since 1970.
 */
export function refuseAnswer(decision: Decision, given: GivenAnswer, now: number): void {
  const { id, state, head, needs, answers, options, kind } = decision;
  if (state !== "open") throw refusal("decided-already", describeEnd(decision, now));
  if (!includesRole(given.role, needs.role)) {
    const why = `this decision needs the role ${needs.role}, and ${given.by} has the role ${given.role}`;
    throw refusal("not-allowed", why);
  }
  if (needs.notBy.includes(given.by))
    throw refusal("not-allowed", `${given.by} may not answer this: it takes another person (FOUR_EYES=on)`);
  if (given.head === null && head !== null) {
    const why = `name the head that you looked at: If-Match: "${head}"`;
    throw new Problem(428, "head-required", why);
  }
  if (given.head !== head) {
    const what = head === null ? "has no head" : `is about ${head}`;
    throw refusal(
      "head-changed",
      `${id} ${what}, and you looked at ${given.head}: look at it and decide again`,
    );
  }
  if (answers.some(({ by }) => by === given.by))
    throw refusal(
      "not-allowed",
      `${given.by} has answered already; it takes ${needs.count} different persons`,
    );
  const known = options.map((option) => option.id);
  // A question of an agent may be answered in words, although it has options.
  const takesText = options.length === 0 || kind === "question";
  if (given.option === null ? !takesText : !known.includes(given.option)) {
    const said = given.option === null ? "a text alone" : `\`${given.option}\``;
    const wanted = known.length === 0 ? "a text without an option" : `one of ${known.join(", ")}`;
    throw refusal("no-such-option", `${said} is no answer to ${id}: give ${wanted}`);
  }
}

/** Whether an answer counts by what the views show: throws the Problem if not; null: it is not known yet. */
export function outcomeOf({ answers, refusals }: DecisionView, answerId: string): "counted" | null {
  if (answers.some(({ id }) => id === answerId)) return "counted";
  const refused = refusals.find((one) => one.answerId === answerId);
  if (refused !== undefined) throw refusal(refused.code, refused.why);
  return null;
}

function refusal(code: AnswerRefusal["code"], why: string): Problem {
  return new Problem(STATUS[code], code, why);
}
