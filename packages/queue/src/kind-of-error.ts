/** The same for errors that differ in job ids, counts and addresses only. */
export function kindOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/[0-9a-f]{8,}|\d+/g, "#").slice(0, 80);
}
