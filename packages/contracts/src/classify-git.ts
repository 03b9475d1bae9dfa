import type { FaultCode, FaultOptions } from "./fault.ts";

/** What a message of git says about its failure. `fix` is for people; null when the failure passes by itself. */
export interface GitFailure extends Required<Pick<FaultOptions, "source">> {
  readonly code: Extract<FaultCode, "disk.full" | "machine.failed" | "origin.refused">;
  readonly fix: string | null;
}

/** Failures of the machine. They end a line, and paths or refs that an attacker chose do not. */
const DISK_FULL = /: (?:No space left on device|Disk quota exceeded)$/m;
const READ_ONLY = /: Read-only file system$/m;
const MACHINE =
  /: (?:Input\/output error|Cannot allocate memory|Too many open files|Resource temporarily unavailable)$/m;

/** Classifies git's failure on this machine by its stderr; null: the machine did not cause it. */
export function classifyGitFailure(stderr: string): GitFailure | null {
  if (DISK_FULL.test(stderr))
    return { code: "disk.full", source: "operator", fix: "free space on the disk of SWARM_HOME" };
  if (READ_ONLY.test(stderr))
    return { code: "machine.failed", source: "operator", fix: "mount the disk of SWARM_HOME writable" };
  return MACHINE.test(stderr) ? { code: "machine.failed", source: "machine", fix: null } : null;
}

const REFUSED_PUSH: readonly (readonly [RegExp, string])[] = [
  [
    /branch is currently checked out|denyCurrentBranch/i,
    "push to a bare repository, or check out another branch there",
  ],
  [
    /protected branch|GH006|GH013|not allowed to (?:push|force push)|hook declined|branch is protected/i,
    "let the account of GIT_WRITE_CREDENTIAL push to the branch",
  ],
  [/deny(?:ing|ed)? (?:updating|creating|non-fast)|prohibited|read[- ]only/i, "allow pushes to the branch"],
];

const REFUSED_ACCOUNT =
  /Authentication failed|could not read (?:Username|Password)|Permission denied \(|HTTP Basic: Access denied|returned error: 40[13]|Invalid username or|terminal prompts disabled|Permission to \S+ denied/i;
const NO_REPOSITORY = /Repository not found|returned error: 404/i;

/** Classifies the refusal of an origin by git's output; null: the origin did not refuse, or says no reason. */
export function classifyOriginRefusal(output: string): GitFailure | null {
  const refused = (fix: string): GitFailure => ({ code: "origin.refused", source: "operator", fix });
  for (const [pattern, fix] of REFUSED_PUSH) if (pattern.test(output)) return refused(fix);
  if (REFUSED_ACCOUNT.test(output))
    return refused("correct GIT_READ_CREDENTIAL or GIT_WRITE_CREDENTIAL, or its rights");
  return NO_REPOSITORY.test(output) ? refused("correct GIT_REPO_URL, or the rights of its credential") : null;
}
