import { classifyGitFailure, Fault } from "@agentswarm/contracts";

/**
 * The Fault of a git command that failed: `disk.full` or `machine.failed` when its stderr names such a cause, else
 * `git.failed`, which is retryable when git was killed or did not start.
 */
export function faultOfGit(
  what: string,
  stderr: string,
  options: { readonly interrupted: boolean; readonly cause?: unknown },
): Fault {
  const { interrupted, cause } = options;
  const found = classifyGitFailure(stderr);
  if (found === null) return new Fault("git.failed", what, { cause, retryable: interrupted });
  const fix = found.fix === null ? "" : `: ${found.fix}`;
  return new Fault(found.code, `${what}${fix}`, { cause, source: found.source });
}
