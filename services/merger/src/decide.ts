import picomatch from "picomatch";
import { DEFAULT_PROTECTED } from "@agentswarm/contracts";

const TEST_FILE = /(?:^|\/)(?:tests?|__tests__|checks)\/|\.(?:test|spec|itest)\.[cm]?[jt]sx?$/;

export interface ProtectionFacts {
  readonly changed: readonly string[];
  readonly deleted: readonly string[];
  /** The target's own list. */
  readonly protectedPaths: readonly string[];
  /** The `scripts` of package.json before and after, as JSON; they decide what the checks run. */
  readonly scriptsBefore: string;
  readonly scriptsAfter: string;
}

/** Why a person has to look at an attempt before it lands, or null. */
export function decideHold(facts: ProtectionFacts): string | null {
  const matches = picomatch([...facts.protectedPaths, ...DEFAULT_PROTECTED], { dot: true });
  const touched = facts.changed.filter((path) => matches(path));
  if (touched.length > 0) return `it changes protected paths: ${touched.join(", ")}`;
  const deletedTests = facts.deleted.filter((path) => TEST_FILE.test(path));
  if (deletedTests.length > 0) return `it deletes tests: ${deletedTests.join(", ")}`;
  if (facts.scriptsBefore !== facts.scriptsAfter)
    return "it changes the scripts of package.json, which the checks run";
  return null;
}
