import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import type { Mount, SandboxProvider } from "@agentswarm/sandbox";
import type { ReadFile } from "./find-checks.ts";
import { hasDependencies, parseLock, parseManifest, type Lock } from "./install/dependency-files.ts";
import { installInSandbox, type Project } from "./install/install-in-sandbox.ts";
import { readNpmConfig, type NpmConfig } from "./install/npm-config.ts";
import { refuseSources } from "./install/refuse-sources.ts";
import type { RelayLog } from "./install/registry-relay.ts";
import { takeFileLock } from "./file-lock.ts";
import { noteUse, removeUnused } from "./remove-unused.ts";

/** The dependencies of a commit: what to mount, or why they cannot be installed. A refusal is caused by the commit. */
export type Dependencies =
  | { readonly kind: "ready"; readonly mounts: Mount[] }
  | { readonly kind: "refused"; readonly why: string };

export interface EnsureOptions {
  /** Packages whose install scripts run inside the sandbox, by the trunk's swarm.json. */
  readonly scripts: readonly string[];
  readonly signal?: AbortSignal;
}

/** The target's dependencies, installed once for each set of packages and shared by all sandboxes, read-only. */
export interface DependencyCache {
  /**
   * Installs the dependencies of a commit unless that was done before. Throws a Fault when the machine or a registry
   * failed (see `installInSandbox`).
   */
  ensure(readFile: ReadFile, options: EnsureOptions): Promise<Dependencies>;
  /** Whether two commits ask for the same installation. */
  isSame(one: ReadFile, other: ReadFile): Promise<boolean>;
  /**
   * Removes what was last used before `before`, milliseconds since 1970, and returns the number of removed sets. What this
   * process used last stays: sandboxes that wait for a task may have it mounted.
   */
  removeUnused(before: number): Promise<number>;
}

/**
 * What npm refuses it refuses again, unless a registry has changed: tasks that wait for a trunk with such dependencies are
 * retried once a minute, each of them.
 */
const REFUSED_FOR_MS = 120_000;
const REFUSALS_KEPT = 100;
const MODULES = "node_modules";
/** Part of the key: another way of installing gives another folder. */
const FORMAT = 2;

/**
 * Opens the cache in `<home>/deps`. Several processes may share it. A folder is named by all that decides what is
 * installed and is never written again, so that one commit cannot change what another one gets. Nothing that a manifest
 * or a lockfile says runs outside a sandbox.
 */
export function openDependencyCache(options: {
  readonly home: string;
  readonly provider: SandboxProvider;
  /** The `swarm` label of the sandboxes. */
  readonly swarm: string;
  /** Of the service: which registries npm is configured for, and the proxies. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: RelayLog & { info(fields: object, message: string): void };
}): DependencyCache {
  const { home, provider, swarm, env, log } = options;
  const root = join(home, "deps");
  let read: NpmConfig | undefined;
  let usedLast: string | null = null;
  const refusals = new Map<string, { readonly why: string; readonly at: number }>();
  const configOf = () => (read ??= readConfig(env));

  const install = async (dir: string, project: Project, signal?: AbortSignal): Promise<string | null> => {
    const startedAt = performance.now();
    const fresh = `${dir}.${randomUUID()}`;
    const modules = join(fresh, MODULES);
    await mkdir(modules, { recursive: true });
    try {
      const config = configOf();
      const failed = await installInSandbox({ provider, swarm, config, env, log, signal }, project, modules);
      const tookMs = Math.round(performance.now() - startedAt);
      log.info(
        { dir, tookMs, why: failed?.why },
        failed === null ? "dependencies installed" : "dependencies refused",
      );
      if (failed !== null) return failed.why;
      await rename(fresh, dir).catch((error: unknown) => {
        // Two may take over what a dead one left; whoever is first is as good.
        if (!existsSync(dir)) throw error;
      });
      return null;
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  };

  /** The refusal of a moment ago, else a new try. */
  const installOnce = async (dir: string, project: Project, signal?: AbortSignal): Promise<string | null> => {
    const before = refusals.get(dir);
    if (before !== undefined && performance.now() - before.at < REFUSED_FOR_MS) return before.why;
    const why = await install(dir, project, signal);
    refusals.delete(dir);
    if (why !== null) refusals.set(dir, { why, at: performance.now() });
    const [oldest] = refusals.keys();
    if (refusals.size > REFUSALS_KEPT && oldest !== undefined) refusals.delete(oldest);
    return why;
  };

  return {
    async ensure(readFile, { scripts, signal }) {
      const project = await readProject(readFile, scripts);
      if (project === null) return { kind: "ready", mounts: [] };
      if ("why" in project) return { kind: "refused", why: project.why };
      const config = configOf();
      const why = refuseSources(project.manifest, project.lock, hostsOf(config));
      if (why !== null) return { kind: "refused", why };
      const key = keyOf(project, config, provider.name);
      const dir = join(root, key);
      usedLast = dir;
      if (!(await noteUse(dir))) {
        await mkdir(root, { recursive: true });
        await using _lock = await takeFileLock(`${dir}.lock`);
        const failed = existsSync(dir) ? null : await installOnce(dir, project, signal);
        if (failed !== null) return { kind: "refused", why: failed };
      }
      return { kind: "ready", mounts: [{ from: join(dir, MODULES), at: MODULES, key: `deps-${key}` }] };
    },
    async isSame(one, other) {
      const [a, b] = await Promise.all([readProject(one, []), readProject(other, [])]);
      return JSON.stringify(a) === JSON.stringify(b);
    },
    async removeUnused(before) {
      if (usedLast !== null) await noteUse(usedLast);
      return removeUnused(root, before);
    },
  };
}

/** The mounts of a commit of the trunk. Throws Fault `target.invalid` when its dependencies were refused. */
export function requireMounts(dependencies: Dependencies): Mount[] {
  if (dependencies.kind === "ready") return dependencies.mounts;
  const fix = "correct package.json or its lockfile on the trunk";
  throw new Fault(
    "target.invalid",
    `the target's dependencies cannot be installed (${fix}): ${dependencies.why}`,
    {
      retryable: true,
    },
  );
}

function readConfig(env: Readonly<Record<string, string | undefined>>): NpmConfig {
  try {
    return readNpmConfig(env);
  } catch (error) {
    throw new Fault(
      "config.invalid",
      `npm's configuration (.npmrc, npm_config_*): ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

/** What a commit asks to install; null when it depends on nothing. */
async function readProject(
  readFile: ReadFile,
  scripts: readonly string[],
): Promise<Project | { readonly why: string } | null> {
  const text = await readFile("package.json");
  if (text === null) return null;
  const manifest = parseManifest(text);
  if (manifest.kind === "refused") return { why: manifest.why };
  if (!hasDependencies(manifest.value)) return null;
  // npm prefers the first of them too.
  const lockText = (await readFile("npm-shrinkwrap.json")) ?? (await readFile("package-lock.json"));
  let lock: Lock | null = null;
  if (lockText !== null) {
    const parsed = parseLock(lockText);
    if (parsed.kind === "refused") return { why: parsed.why };
    lock = parsed.value;
  }
  return { manifest: manifest.value, lock, scripts: scripts.toSorted() };
}

function hostsOf({ registries }: NpmConfig): ReadonlySet<string> {
  return new Set(registries.map(({ url }) => url.host));
}

/** By the provider too: its sandboxes may have another npm or another system than this machine. */
function keyOf(project: Project, { registries }: NpmConfig, provider: string): string {
  const sources = registries.map(({ scope, url }) => [scope, url.href]);
  return createHash("sha256")
    .update(JSON.stringify([FORMAT, project, sources, provider, process.platform, process.arch]))
    .digest("hex")
    .slice(0, 32);
}
