/** Whether there may be a path that both globs match: always when there is one, and sometimes when there is none. */
export function mayMeet(one: string, other: string): boolean {
  const [a, b] = [literalStart(one), literalStart(other)];
  return a.startsWith(b) || b.startsWith(a);
}

/** What every path that a glob matches begins with, in small letters: rules match paths in any case. */
function literalStart(glob: string): string {
  return /^[^*?[\]{}()!+@|\\]*/.exec(glob.replace(/^\.\//, ""))?.[0].toLowerCase() ?? "";
}
