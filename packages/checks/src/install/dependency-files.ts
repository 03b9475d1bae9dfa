import { z } from "zod";

/** The fields of a manifest that name packages. */
export const DEPENDENCY_FIELDS = [
  "dependencies",
  "devDependencies",
  "optionalDependencies",
  "peerDependencies",
] as const;
/** Those of them that make an installation necessary. */
const INSTALLED_FIELDS = ["dependencies", "devDependencies", "optionalDependencies"] as const;

const packagesSchema = z.record(z.string(), z.string()).optional();
const fields = {
  dependencies: packagesSchema,
  devDependencies: packagesSchema,
  optionalDependencies: packagesSchema,
  peerDependencies: packagesSchema,
};

/** What an installation takes from a package.json; everything else, scripts among them, is left out. */
const manifestSchema = z.object({
  ...fields,
  peerDependenciesMeta: z.unknown().optional(),
  overrides: z.record(z.string(), z.unknown()).optional(),
  workspaces: z.unknown().optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

const lockEntrySchema = z.looseObject({
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.union([z.string(), z.boolean()]).optional(),
  link: z.boolean().optional(),
  ...fields,
});
export type LockEntry = z.infer<typeof lockEntrySchema>;

/** An entry of a lockfile of version 1, whose entries nest. */
interface OldLockEntry {
  readonly version?: string | undefined;
  readonly resolved?: string | boolean | undefined;
  readonly dependencies?: Record<string, OldLockEntry> | undefined;
}
const oldLockEntrySchema: z.ZodType<OldLockEntry> = z.lazy(() =>
  z.looseObject({
    version: z.string().optional(),
    resolved: z.union([z.string(), z.boolean()]).optional(),
    dependencies: z.record(z.string(), oldLockEntrySchema).optional(),
  }),
);

const lockSchema = z.looseObject({
  /** By path: "" is the project itself, `node_modules/x` a package, any other path a workspace. */
  packages: z.record(z.string(), lockEntrySchema).optional(),
  dependencies: z.record(z.string(), oldLockEntrySchema).optional(),
});
export type Lock = z.infer<typeof lockSchema>;

export type Parsed<T> =
  | { readonly kind: "parsed"; readonly value: T }
  | { readonly kind: "refused"; readonly why: string };

export function parseManifest(text: string): Parsed<Manifest> {
  return parse("package.json", text, manifestSchema);
}

export function parseLock(text: string): Parsed<Lock> {
  return parse("package-lock.json", text, lockSchema);
}

export function hasDependencies(manifest: Manifest): boolean {
  return INSTALLED_FIELDS.some((field) => Object.keys(manifest[field] ?? {}).length > 0);
}

/** The name of the package of a lockfile's entry; an alias is listed under the package that it stands for. */
export function packageOf(path: string, entry: { readonly name?: string | undefined }): string {
  return entry.name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

/** All entries of `dependencies` of a lockfile of version 1 or 2, however deep. */
export function* oldEntries(entries: Lock["dependencies"]): Generator<readonly [string, OldLockEntry]> {
  for (const [name, entry] of Object.entries(entries ?? {})) {
    yield [name, entry];
    yield* oldEntries(entry.dependencies);
  }
}

/** Far more than honest files have; what is larger would block this process while it is examined. */
const MAX_CHARS = 32 * 2 ** 20;
const MAX_DEPTH = 200;

function parse<T>(file: string, text: string, schema: z.ZodType<T>): Parsed<T> {
  if (text.length > MAX_CHARS)
    return { kind: "refused", why: `${file} has more than ${MAX_CHARS} characters` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { kind: "refused", why: `${file} is no JSON: ${(error as Error).message}` };
  }
  if (isTooDeep(json)) return { kind: "refused", why: `${file} nests more than ${MAX_DEPTH} levels` };
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: "parsed", value: parsed.data };
  return { kind: "refused", why: `${file}: ${z.prettifyError(parsed.error).slice(0, 2_000)}` };
}

/** Without recursion, so that no nesting can exhaust the stack here or in those who read the value. */
function isTooDeep(json: unknown): boolean {
  let level = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
  }
  return false;
}
