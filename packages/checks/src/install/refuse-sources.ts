import {
  DEPENDENCY_FIELDS,
  oldEntries,
  packageOf,
  type Lock,
  type LockEntry,
  type Manifest,
} from "./dependency-files.ts";
import { PUBLIC_REGISTRY } from "./public-registry.ts";

const NAME = /^(?:@[\w.~-]+\/)?[\w.~-]+$/;
/** A version, a range or a tag. Anything with a slash, colon, `@` or `#` is a file, an address or a repository. */
const RANGE = /^[\w*^~<>=|+ -][\w.*^~<>=|+ -]*$/;
const FILE = /\.(?:tgz|tar\.gz|tar)$/i;
const MAX_NAMED = 20;

/**
 * The sources of a manifest and its lockfile that are no registry: git, addresses, files, links, and workspaces
 * outside the tree. Null when there is none, else a reason that names them. `hosts` are those of the registries.
 */
export function refuseSources(
  manifest: Manifest,
  lock: Lock | null,
  hosts: ReadonlySet<string>,
): string | null {
  const found = [...sourcesOf(manifest, "package.json"), ...(lock === null ? [] : lockSources(lock, hosts))];
  if (found.length === 0) return null;
  const more = found.length > MAX_NAMED ? ` and ${found.length - MAX_NAMED} more` : "";
  return `dependencies come from package registries only, not from ${found.slice(0, MAX_NAMED).join("; ")}${more}`;
}

/** The registry package and range that a dependency names; null when it comes from elsewhere. */
export function registrySpec(
  name: string,
  spec: string,
): { readonly name: string; readonly range: string } | null {
  const alias = /^npm:((?:@[^/]+\/)?[^@/]+)(?:@(.*))?$/s.exec(spec);
  const real = alias?.[1] ?? name;
  const range = (alias === null ? spec : (alias[2] ?? "*")).trim();
  if (!NAME.test(name) || !NAME.test(real)) return null;
  if (range === "") return { name: real, range: "*" };
  return RANGE.test(range) && !FILE.test(range) ? { name: real, range } : null;
}

function sourcesOf(
  manifest: Pick<Manifest, (typeof DEPENDENCY_FIELDS)[number]> &
    Partial<Pick<Manifest, "overrides" | "workspaces">>,
  where: string,
): string[] {
  const found: string[] = [];
  for (const field of DEPENDENCY_FIELDS) {
    for (const [name, spec] of Object.entries(manifest[field] ?? {}))
      if (registrySpec(name, spec) === null) found.push(`${name}@${spec} (${field} in ${where})`);
  }
  for (const [name, spec] of overridesOf(manifest.overrides ?? {})) {
    if (!spec.startsWith("$") && registrySpec("overridden", spec) === null)
      found.push(`${name}@${spec} (overrides in ${where})`);
  }
  for (const glob of workspacesOf(manifest.workspaces)) {
    if (isOutside(glob)) found.push(`the workspace ${glob}, which is outside the tree`);
  }
  return found.map((one) => one.slice(0, 300));
}

/** The dependencies of a package in the registry that point elsewhere. */
function foreignSpecs({ dependencies, optionalDependencies }: LockEntry, where: string): string[] {
  return Object.entries({ ...dependencies, ...optionalDependencies })
    .filter(([name, spec]) => /[:/\\]/.test(spec) && registrySpec(name, spec) === null)
    .map(([name, spec]) => `${name}@${spec} (${where})`);
}

function* overridesOf(overrides: object): Generator<readonly [string, string]> {
  for (const [name, value] of Object.entries(overrides)) {
    if (typeof value === "object" && value !== null) yield* overridesOf(value);
    else yield [name, String(value)];
  }
}

function workspacesOf(workspaces: unknown): string[] {
  const list = Array.isArray(workspaces)
    ? workspaces
    : (workspaces as { packages?: unknown } | null | undefined)?.packages;
  return Array.isArray(list) ? list.map(String) : [];
}

function isOutside(path: string): boolean {
  return /^!*(?:[/\\~]|[a-zA-Z]:)/.test(path) || path.split(/[/\\{},]/).includes("..");
}

function lockSources(lock: Lock, hosts: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const [path, entry] of Object.entries(lock.packages ?? {})) {
    if (path !== "" && isOutside(path)) found.push(`${path} (package-lock.json)`);
    const where = `package-lock.json, ${path || "the project"}`;
    // The author of a package in the registry may write a range in any form; npm refuses those that it does not know.
    if (path.includes("node_modules/")) found.push(...foreignSpecs(entry, where));
    else found.push(...sourcesOf(entry, where));
    const why = refuseEntry(path, entry, hosts);
    if (why !== null) found.push(why);
  }
  for (const [name, entry] of oldEntries(lock.dependencies)) {
    const why = refuseResolved(name, entry.resolved, hosts);
    if (why !== null) found.push(why);
    // In a lockfile of version 1 the version of what is no registry's package is its address; a workspace has `file:`.
    if (
      entry.version !== undefined &&
      registrySpec(name, entry.version) === null &&
      !isWorkspace(entry.version)
    )
      found.push(`${name}@${entry.version} (package-lock.json)`);
  }
  return found.map((one) => one.slice(0, 300));
}

function isWorkspace(version: string): boolean {
  return version.startsWith("file:") && !isOutside(version.slice("file:".length));
}

function refuseEntry(path: string, entry: LockEntry, hosts: ReadonlySet<string>): string | null {
  if (!entry.link) return refuseResolved(packageOf(path, entry), entry.resolved, hosts);
  // A workspace is a link to a folder of the tree.
  const isInside =
    typeof entry.resolved === "string" && !isOutside(entry.resolved) && !entry.resolved.includes(":");
  return isInside ? null : `${path}, a link to ${String(entry.resolved)} (package-lock.json)`;
}

/** A package must come from a registry, and from there under its own name: the name is what a person approves. */
function refuseResolved(
  name: string,
  resolved: LockEntry["resolved"],
  hosts: ReadonlySet<string>,
): string | null {
  if (typeof resolved !== "string") return null;
  const url = URL.parse(resolved);
  const isRegistry =
    url !== null &&
    (url.protocol === "https:" || url.protocol === "http:") &&
    url.username === "" &&
    url.password === "" &&
    (hosts.has(url.host) || url.host === PUBLIC_REGISTRY.host);
  if (!isRegistry) return `${name} from ${resolved} (package-lock.json)`;
  const path = decodeURIComponentOr(url.pathname);
  return path.includes(`/${name}/`)
    ? null
    : `${name} from the address of another package, ${resolved} (package-lock.json)`;
}

function decodeURIComponentOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
