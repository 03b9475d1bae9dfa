import picomatch from "picomatch";
import { DEFAULT_PROTECTED, type MergeRequest } from "@agentswarm/contracts";
import type { LandingEngine } from "@agentswarm/git";

const TEST_FILE = /(?:^|\/)(?:tests?|__tests__|checks)\/|\.(?:test|spec|itest)\.[cm]?[jt]sx?$/;

interface ProtectionFacts {
  readonly changed: readonly string[];
  readonly deleted: readonly string[];
  /** The globs of the target's swarm.json. */
  readonly protectedPaths: readonly string[];
  /** The `scripts` of package.json before and after the attempt, as JSON. The checks run them. */
  readonly scriptsBefore: string;
  readonly scriptsAfter: string;
}

/**
 * Why a person must approve an attempt before it lands; null when it may land without approval. `allowed`: paths that
 * need none, although they are protected (see `checkDependencyChanges`).
 */
export async function checkProtectedPaths(
  engine: LandingEngine,
  { baseCommit, headCommit }: MergeRequest,
  protectedPaths: readonly string[],
  allowed: readonly string[] = [],
): Promise<string | null> {
  const changes = await engine.changes(baseCommit, headCommit);
  const pathsOf = (kinds: readonly string[]) =>
    changes.filter((one) => kinds.includes(one.kind)).map((one) => one.path);
  const touchesScripts = changes.some((one) => one.path === "package.json");
  return decideHold({
    changed: pathsOf(["added", "changed", "deleted"]).filter((path) => !allowed.includes(path)),
    deleted: pathsOf(["deleted"]),
    protectedPaths,
    scriptsBefore: touchesScripts ? await readScripts(engine, baseCommit) : "",
    scriptsAfter: touchesScripts ? await readScripts(engine, headCommit) : "",
  });
}

/** The rule itself, on facts read from the attempt's commits. */
export function decideHold(facts: ProtectionFacts): string | null {
  const matches = picomatch([...facts.protectedPaths, ...DEFAULT_PROTECTED], { dot: true });
  const touched = facts.changed.filter((path) => matches(path));
  if (touched.length > 0) return `the attempt changes protected paths: ${touched.join(", ")}`;
  const deletedTests = facts.deleted.filter((path) => TEST_FILE.test(path));
  if (deletedTests.length > 0) return `the attempt deletes tests: ${deletedTests.join(", ")}`;
  if (facts.scriptsBefore !== facts.scriptsAfter)
    return "the attempt changes the scripts of package.json, which the checks run";
  return null;
}

/** A package.json that is no JSON is compared as text. */
async function readScripts(engine: LandingEngine, commit: string): Promise<string> {
  const text = await engine.readFile(commit, "package.json");
  if (text === null) return "";
  try {
    return JSON.stringify((JSON.parse(text) as { scripts?: object }).scripts ?? {});
  } catch {
    return text;
  }
}
