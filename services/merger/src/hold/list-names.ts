const MAX_LISTED = 50;

/** Names for a reason that people read; the first ones when there are many. */
export function listNames(names: readonly string[]): string {
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : "";
  return `${names.slice(0, MAX_LISTED).join(", ")}${more}`;
}
