import type { Situation } from "./request.ts";
import type { Entry, Step } from "./scenario.ts";

export type Choice =
  | { kind: "step"; entry: Entry; step: Step; number: number }
  | { kind: "answer"; entry: Entry; answer: unknown }
  | { kind: "none"; why: string };

/** The id of a step's n-th tool call. */
export function toolCallId(key: string, step: number, nth: number): string {
  return nth === 0 ? `${key}#${step}` : `${key}#${step}.${nth}`;
}

/**
 * What is answered: the first entry whose key and pattern fit. In a conversation the step is the one after the
 * highest `<key>#<step>` seen in it (steps count from 1), so the server keeps no conversation.
 */
export function choose(entries: readonly Entry[], situation: Situation): Choice {
  const { key } = situation;
  if (key === null) return { kind: "none", why: "no message names a Swarm-Key" };
  const entry = entries.find(
    (one) =>
      one.key === key && (one.match === undefined || new RegExp(one.match, "s").test(situation.lastUserText)),
  );
  if (entry === undefined) return { kind: "none", why: `nothing is recorded for ${key}` };
  if (entry.steps === undefined) return { kind: "answer", entry, answer: entry.answer };
  const number = lastStep(key, situation.toolCallIds) + 1;
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
