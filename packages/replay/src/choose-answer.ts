import type { RequestFacts } from "./request-facts.ts";
import type { ScenarioEntry, ScenarioStep } from "./scenario.ts";

/** The recorded answer to a request, or why there is none. */
export type RecordedAnswer =
  | { kind: "step"; entry: ScenarioEntry; step: ScenarioStep; number: number }
  | { kind: "answer"; entry: ScenarioEntry; answer: unknown }
  | { kind: "none"; why: string };

/** The id of a step's n-th tool call, counted from 0. */
export function toolCallId(key: string, step: number, nth: number): string {
  return nth === 0 ? `${key}#${step}` : `${key}#${step}.${nth}`;
}

/**
 * Chooses the answer of the first entry whose key and pattern match. In a conversation it is the step after the highest
 * `<key>#<step>` among its tool call ids (steps count from 1), so the server keeps no state of conversations.
 */
export function chooseAnswer(entries: readonly ScenarioEntry[], facts: RequestFacts): RecordedAnswer {
  const { key } = facts;
  if (key === null) return { kind: "none", why: "no message names a Swarm-Key" };
  const entry = entries.find(
    (one) =>
      one.key === key && (one.match === undefined || new RegExp(one.match, "s").test(facts.lastUserText)),
  );
  if (entry === undefined) return { kind: "none", why: `nothing is recorded for ${key}` };
  if (entry.steps === undefined) return { kind: "answer", entry, answer: entry.answer };
  const number = lastStep(key, facts.toolCallIds) + 1;
  const step = entry.steps[number - 1];
  if (step !== undefined) return { kind: "step", entry, step, number };
  return {
    kind: "none",
    why: `${key} has ${entry.steps.length} recorded steps, and step ${number} was asked for`,
  };
}

function lastStep(key: string, ids: readonly string[]): number {
  const prefix = `${key}#`;
  const steps = ids
    .filter((id) => id.startsWith(prefix))
    .map((id) => Number.parseInt(id.slice(prefix.length), 10));
  return Math.max(0, ...steps.filter((step) => Number.isFinite(step)));
}
