import { createHash } from "node:crypto";
import type { DecisionKind } from "../decision.ts";
import { slug, type Id } from "../ids.ts";

/** Stable short hash of some parts: 10 base-36 digits (about 51 bits). */
export function shortHash(...parts: readonly string[]): string {
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest();
  return digest.readBigUInt64BE(0).toString(36).padStart(13, "0").slice(-10);
}

/**
 * The id of a task, derived from feature, plan revision and the plan's own key, so that a redelivered
 * planning job makes the same ids again.
 */
export function taskIdOf(featureId: string, revision: number, key: string): Id {
  return `${slug(key, 40, "task")}-${shortHash(featureId, String(revision), key)}`;
}

/** The id of a feature, derived from its Idempotency-Key alone, so that another body under the same key is found out. */
export function featureIdOf(idempotencyKey: string): Id {
  return `feature-${shortHash(idempotencyKey)}`;
}

/** The id of a person's answer to a decision, derived from its Idempotency-Key, so that the same answer counts once. */
export function answerIdOf(decisionId: string, by: string, idempotencyKey: string): Id {
  return `answer-${shortHash(decisionId, by, idempotencyKey)}`;
}

/**
 * The id of the decision in which people are asked an agent's question. The same question in one round of a task is one
 * decision, whichever attempt asks it: an answer that comes after an attempt was lost reaches the one that takes its place.
 */
export function questionIdOf(taskId: string, round: number, ask: string): Id {
  const digest = createHash("sha256").update(JSON.stringify(["question", taskId, round, ask]));
  return `d-${digest.digest("hex").slice(0, 24)}`;
}

/** The job id of an event, derived from the event's own id, which may be too long for one or hold a `:`. */
export function eventJobId(eventId: string): string {
  return `event-${createHash("sha256").update(eventId).digest("hex").slice(0, 32)}`;
}

/**
 * The id of a decision, derived from what it is about: of a task or with null of the feature, of an attempt, and `nth`,
 * which distinguishes what is asked about the same one.
 */
export function decisionId(
  kind: DecisionKind,
  featureId: string,
  taskId: string | null,
  attempt: number | null,
  nth: number,
): Id {
  const about = JSON.stringify([kind, featureId, taskId, attempt, nth]);
  return `d-${createHash("sha256").update(about).digest("hex").slice(0, 24)}`;
}
