/**
 * Fields of package.json that no check is configured by. Every other field is held when it changes: `scripts` are run
 * by the checks, and test runners and compilers read fields of their own names (`jest`, `babel`, `mocha`, …).
 * Dependencies are judged by a rule of their own.
 */
const DESCRIPTIVE: ReadonlySet<string> = new Set([
  "name",
  "version",
  "description",
  "keywords",
  "homepage",
  "bugs",
  "license",
  "author",
  "contributors",
  "funding",
  "repository",
  "private",
  "files",
  "main",
  "module",
  "browser",
  "types",
  "typings",
  "typesVersions",
  "exports",
  "bin",
  "man",
  "sideEffects",
  "$schema",
]);

const DEPENDENCIES: ReadonlySet<string> = new Set([
  "dependencies",
  "devDependencies",
  "optionalDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
]);

/**
 * The fields of a package.json that a person must approve when they differ; null: a side cannot be read as an object, so
 * nothing is known of its fields.
 */
export function heldFields(before: string | null, after: string | null): string[] | null {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  if (old === null || now === null) return before === after ? [] : null;
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...names].filter(
    (name) =>
      !DESCRIPTIVE.has(name) &&
      !DEPENDENCIES.has(name) &&
      JSON.stringify(old[name]) !== JSON.stringify(now[name]),
  );
}

/** Null: the text is no JSON object. A missing file has no fields. */
function fieldsOf(text: string | null): Record<string, unknown> | null {
  if (text === null) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
