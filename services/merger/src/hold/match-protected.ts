import picomatch from "picomatch";
import {
  ALWAYS_PROTECTED,
  DEFAULT_PROTECTED,
  findInstalledFolder,
  type TargetSettings,
} from "@agentswarm/contracts";

type Protection = Pick<TargetSettings, "protected" | "unprotected">;

/** A name in other letters is the same file on some machines. */
const OPTIONS = { dot: true, nocase: true } as const;

const isAlways = picomatch([...ALWAYS_PROTECTED], OPTIONS);
const isDefault = picomatch([...DEFAULT_PROTECTED], OPTIONS);

/**
 * Whether a changed path needs a person's approval: by the default list or the target's, less `unprotected`. Quarantine
 * refuses installed folders; here they are held whatever swarm.json says.
 */
export function matchProtected(settings: Protection): (path: string) => boolean {
  const isOwn = matcherOf(settings.protected);
  const isTakenOut = matcherOf(settings.unprotected);
  return (path) =>
    isAlways(path) ||
    findInstalledFolder(path) !== null ||
    ((isDefault(path) || isOwn(path)) && !isTakenOut(path));
}

/** Whether the target takes a path out of the protected ones. */
export function matchUnprotected({
  unprotected,
}: Pick<Protection, "unprotected">): (path: string) => boolean {
  return matcherOf(unprotected);
}

/** Whether a path matches one of the globs, in any case. */
export function matcherOf(globs: readonly string[]): (path: string) => boolean {
  return globs.length === 0 ? () => false : picomatch([...globs], OPTIONS);
}
