import { basename } from "node:path";
import {
  DEPENDENCY_FIELDS,
  oldEntries,
  packageOf,
  parseLock,
  parseManifest,
  registrySpec,
  type Lock,
  type Manifest,
} from "@agentswarm/checks";
import type { MergeRequest } from "@agentswarm/contracts";
import type { LandingEngine } from "@agentswarm/git";

const MANIFEST = "package.json";
/** Lockfiles that can be read here. Others are protected paths. */
const LOCKFILES = ["package-lock.json", "npm-shrinkwrap.json"];
const MAX_NAMED = 30;

/** A manifest or lockfile before and after an attempt; null where there is none. */
export interface FileChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What an attempt changes of the target's dependencies. */
export interface DependencyDecision {
  /** Why a person must approve it; null when nothing is new, or all that is new is allowed. */
  readonly held: string | null;
  /** The registry's packages among what is held. */
  readonly packages: readonly string[];
  /** Lockfiles that were read and are allowed, so that they need no approval as protected paths. */
  readonly allowed: readonly string[];
}

/** Reads the manifests and lockfiles that an attempt changes, and decides. `allow`: of the trunk's swarm.json. */
export async function checkDependencyChanges(
  engine: LandingEngine,
  { baseCommit, headCommit }: MergeRequest,
  allow: readonly string[],
): Promise<DependencyDecision> {
  const changes = await engine.changes(baseCommit, headCommit);
  const paths = changes.map(({ path }) => path).filter((path) => isManifest(path) || isLockfile(path));
  const files: FileChange[] = [];
  for (const path of paths) {
    files.push({
      path,
      before: await engine.readFile(baseCommit, path),
      after: await engine.readFile(headCommit, path),
    });
  }
  return decideDependencyChanges(files, allow);
}

/** The rule itself: a new package or range is held unless the trunk allows the package by name. */
export function decideDependencyChanges(
  files: readonly FileChange[],
  allow: readonly string[],
): DependencyDecision {
  const allowed = new Set(allow);
  const added = files.flatMap(addedIn);
  const held = added.filter((one) => one.name === null || !allowed.has(one.name));
  const lockfiles = files
    .filter(({ path, after }) => isLockfile(path) && after !== null)
    .map(({ path }) => path);
  if (held.length > 0) {
    const names = [...new Set(held.map((one) => one.text))];
    const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
    const list = names.slice(0, MAX_NAMED).join(", ");
    const packages = [...new Set(held.flatMap(({ name }) => (name === null ? [] : [name])))];
    return { held: `the attempt changes dependencies: ${list}${more}`, packages, allowed: [] };
  }
  // Without a new package a lockfile has no reason to change: it stays a protected path.
  return { held: null, packages: [], allowed: added.length === 0 ? [] : lockfiles };
}

/** Something new. `name`: the package that the trunk may allow; null where only a person can. */
interface Added {
  readonly name: string | null;
  readonly text: string;
}

function addedIn({ path, before, after }: FileChange): Added[] {
  if (after === null) return [];
  const [was, is] = [listOf(path, before), listOf(path, after)];
  // A manifest that cannot be read installs nothing: the gate rejects it.
  if (is === null) return isLockfile(path) ? [{ name: null, text: `${path}, which cannot be read` }] : [];
  return [...is].filter(([key]) => !was?.has(key)).map(([, added]) => added);
}

function listOf(path: string, text: string | null): Map<string, Added> | null {
  if (text === null) return new Map();
  if (isLockfile(path)) {
    const lock = parseLock(text);
    return lock.kind === "parsed" ? listLock(lock.value) : null;
  }
  const manifest = parseManifest(text);
  return manifest.kind === "parsed" ? listManifest(manifest.value) : null;
}

function listManifest(manifest: Manifest): Map<string, Added> {
  const list = new Map<string, Added>();
  for (const field of DEPENDENCY_FIELDS) {
    for (const [name, spec] of Object.entries(manifest[field] ?? {})) {
      const real = registrySpec(name, spec);
      list.set(`${name}@${spec}`, { name: real?.name ?? null, text: short(`${name}@${spec}`) });
    }
  }
  for (const [name, value] of Object.entries(manifest.overrides ?? {})) {
    const text = `the override ${name}: ${JSON.stringify(value)}`;
    list.set(text, { name: null, text: short(text) });
  }
  if (manifest.workspaces !== undefined) {
    const text = `the workspaces ${JSON.stringify(manifest.workspaces)}`;
    list.set(text, { name: null, text: short(text) });
  }
  return list;
}

/** Fields that change when another package is added or removed. */
const RELATIONS = new Set(["dev", "optional", "devOptional", "peer", "extraneous"]);

/** By all that a lockfile says of a package: its version, its address, its content's hash, its programs. */
function listLock(lock: Lock): Map<string, Added> {
  const list = new Map<string, Added>();
  const add = (
    name: string,
    entry: { readonly version?: string | undefined; readonly resolved?: unknown },
  ) => {
    const { version = "", resolved = "" } = entry;
    const { link = false } = entry as { link?: unknown };
    const text = link ? `${name}, a link to ${String(resolved)}` : `${name}@${version}`;
    const isOfRegistry = !link && registrySpec(name, version) !== null;
    const said = Object.entries(entry).filter(([field]) => !RELATIONS.has(field));
    const key = JSON.stringify([name, said.toSorted(([a], [b]) => a.localeCompare(b))]);
    list.set(key, { name: isOfRegistry ? name : null, text: short(text) });
  };
  for (const [path, entry] of Object.entries(lock.packages ?? {}))
    if (path.includes("node_modules/")) add(packageOf(path, entry), entry);
  // Lockfiles of version 2 list the packages twice, and npm reads the first list.
  if (lock.packages === undefined)
    for (const [name, entry] of oldEntries(lock.dependencies)) add(name, entry);
  return list;
}

function short(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 200);
}

function isManifest(path: string): boolean {
  return basename(path) === MANIFEST;
}

function isLockfile(path: string): boolean {
  return LOCKFILES.includes(basename(path));
}
