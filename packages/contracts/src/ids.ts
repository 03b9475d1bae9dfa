import { createHash } from "node:crypto";
import { z } from "zod";

/** An id made by us. Safe as a ref component, a file name, a Redis key part and a BullMQ job id. */
export const idSchema = z.string().regex(/^[a-z0-9-]{1,64}$/, "must match ^[a-z0-9-]{1,64}$");
export type Id = z.infer<typeof idSchema>;

/** A full git object id, 40 hex digits (SHA-1 repositories). */
export const objectIdSchema = z.string().regex(/^[0-9a-f]{40}$/, "must be 40 hex digits");

/** Turns free text into a slug of at most `max` characters; `fallback` where nothing is left. */
export function slug(text: string, max = 40, fallback = "untitled"): string {
  const plain = text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return plain.slice(0, max).replace(/-+$/, "") || fallback;
}

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

/** The id of a feature: from the Idempotency-Key when given, else from a random nonce. */
export function featureIdOf(title: string, uniqueKey: string): Id {
  return `${slug(title, 40, "feature")}-${shortHash(uniqueKey)}`;
}

/** BullMQ job ids; none holds a `:` and none is all digits. */
export const jobId = {
  feature: (featureId: string) => `feature-${featureId}`,
  task: (taskId: string, round: number) => `task-${taskId}-${round}`,
  merge: (taskId: string, attempt: number, approved = false) =>
    `merge-${taskId}-${attempt}${approved ? "-approved" : ""}`,
} as const;

/** Where an attempt's commits lie in the store. */
export function attemptRef(taskId: string, attempt: number): string {
  return `refs/swarm/${taskId}/${attempt}`;
}
