import { basename } from "node:path";
import type { MergeRequest, TargetSettings } from "@agentswarm/contracts";
import type { LandingEngine } from "@agentswarm/git";
import { isTestFile, whyEmptied, type TestChange } from "./hold/emptied-tests.ts";
import { listNames } from "./hold/list-names.ts";
import { heldFields } from "./hold/manifest-fields.ts";
import { matchProtected, matchUnprotected } from "./hold/match-protected.ts";

interface ManifestChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface ProtectionFacts {
  readonly changed: readonly string[];
  readonly deleted: readonly string[];
  /** Changed test files. */
  readonly tests: readonly TestChange[];
  /** Changed files of the name package.json. */
  readonly manifests: readonly ManifestChange[];
  /** Of the swarm.json on the trunk. */
  readonly settings: Pick<TargetSettings, "protected" | "unprotected">;
}

/**
 * Why a person must approve an attempt before it lands; null when it may land without approval. `allowed`: paths that
 * need none, although they are protected (see `checkDependencyChanges`).
 */
export async function checkProtectedPaths(
  engine: LandingEngine,
  { baseCommit, headCommit }: MergeRequest,
  settings: ProtectionFacts["settings"],
  allowed: readonly string[] = [],
): Promise<string | null> {
  const changes = await engine.changes(baseCommit, headCommit);
  const pathsOf = (...kinds: string[]) =>
    changes.filter((one) => kinds.includes(one.kind)).map((one) => one.path);
  const read = async (path: string) => {
    const [before, after] = await Promise.all([
      engine.readFile(baseCommit, path),
      engine.readFile(headCommit, path),
    ]);
    return { path, before, after };
  };
  const tests = await Promise.all(
    pathsOf("changed")
      .filter((path) => isTestFile(path))
      .map(read),
  );
  const manifests = pathsOf("added", "changed").filter((path) => basename(path) === "package.json");
  return decideHold({
    changed: pathsOf("added", "changed", "deleted").filter((path) => !allowed.includes(path)),
    deleted: pathsOf("deleted"),
    tests: tests.flatMap(({ before, ...test }) => (before === null ? [] : [{ ...test, before }])),
    manifests: await Promise.all(manifests.map(read)),
    settings,
  });
}

/** The rule itself, on facts read from the attempt's commits. Names every reason, for the person who approves. */
export function decideHold(facts: ProtectionFacts): string | null {
  const isProtected = matchProtected(facts.settings);
  const touched = facts.changed.filter((path) => isProtected(path));
  const deletedTests = facts.deleted.filter((path) => isTestFile(path));
  const emptied = facts.tests.flatMap((test) => {
    const why = whyEmptied(test);
    return why === null ? [] : [`${test.path} ${why}`];
  });
  const reasons = [
    ...(touched.length > 0 ? [`the attempt changes protected paths: ${listNames(touched)}`] : []),
    ...(deletedTests.length > 0 ? [`the attempt deletes tests: ${listNames(deletedTests)}`] : []),
    ...(emptied.length > 0 ? [`the attempt empties tests: ${listNames(emptied)}`] : []),
    ...facts.manifests.flatMap((manifest) => whyManifestHeld(manifest, facts.settings)),
  ];
  return reasons.length === 0 ? null : reasons.join("; ");
}

function whyManifestHeld(
  { path, before, after }: ManifestChange,
  settings: ProtectionFacts["settings"],
): string[] {
  const fields = heldFields(before, after);
  if (fields === null) return [`the attempt makes ${path} unreadable`];
  if (fields.length === 0) return [];
  // A project that begins here meets this once: from then on the manifest is the trunk's own.
  if (before === null) {
    if (matchUnprotected(settings)(path)) return [];
    return [
      `the attempt adds ${path}, whose ${listNames(fields)} the checks run or read from then on: approve it once, or list "${path}" under "unprotected" in the trunk's swarm.json`,
    ];
  }
  return [`the attempt changes ${listNames(fields)} of ${path}, which the checks may run or read`];
}
