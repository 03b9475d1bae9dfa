import { Problem } from "./problem.ts";

/**
 * The one head that a request's If-Match names, or null when it has none. Throws Problem 400 for anything else: an answer
 * is about one head, and `*` would be an answer about one that nobody looked at.
 */
export function readIfMatch(header: string | undefined): string | null {
  if (header === undefined) return null;
  const [, head] = /^\s*"?([0-9a-f]{40,64})"?\s*$/i.exec(header) ?? [];
  if (head !== undefined) return head.toLowerCase();
  throw new Problem(
    400,
    "invalid-request",
    `If-Match: ${header} is not one head of 40 to 64 hex digits, in double quotes`,
  );
}
