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

/** The folder of refs in the store below which all attempts' commits lie. */
export const ATTEMPT_REFS = "refs/swarm/";

/** Where an attempt's commits lie in its repository's store. */
export function attemptRef(taskId: string, attempt: number): string {
  return `${ATTEMPT_REFS}${taskId}/${attempt}`;
}
