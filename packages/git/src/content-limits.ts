import { DOOR } from "@agentswarm/contracts";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * What one attempt may bring into the repository. The limits bound what the attempt adds or changes; what the trunk has
 * already is not counted, so they hold for a repository of any size.
 */
export const CONTENT_LIMITS = {
  commits: 500,
  /** Parents of all commits together. */
  parents: 2_000,
  /** Files added, changed or deleted, in all commits together. A file counts once for each content and mode. */
  changedFiles: 20_000,
  /** Folders in which something changed, in all commits together. */
  changedFolders: 20_000,
  /** One file. */
  fileBytes: 50 * MIB,
  /** All added and changed files as they are checked out: a blob counts once for each path that it has. */
  writtenBytes: 1024 * MIB,
  /** One name of a path. File systems accept no longer one. */
  nameBytes: 255,
  /** A whole path. Linux accepts no longer one. */
  pathBytes: 4_096,
  /** The paths of all changed files together. They travel with the handoff. */
  allPathsBytes: 4 * MIB,
  /** Folders in one another. */
  depth: 64,
  /** No file system accepts a longer link target. */
  linkBytes: 4_096,
  /** One commit object, which is mostly its message. */
  commitBytes: 2 * MIB,
  /** One tree object: about 700,000 names. */
  treeBytes: 32 * MIB,
  /** All tree objects that are read to find the changes. */
  listedBytes: 1024 * MIB,
  /** The pack of one bundle. */
  packBytes: DOOR.commits.body.maxBytes,
} as const;

/** What a git process may use that works on content of a sandbox. */
export interface GitLimits {
  /** Heap and other private memory. Packs, which are mapped for reading, do not count. */
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
}

/**
 * For quarantine and for merges. An honest attempt needs a tenth: two versions of the largest accepted file, and git's
 * cache of delta bases.
 */
export const GIT_LIMITS: GitLimits = { memoryBytes: 384 * MIB, cpuSeconds: 60 };

/** Unpackings at the same time, so that all of them together fit into a service's memory. */
export const QUARANTINES_AT_ONCE = 2;

/** Texts that both sides changed, and how they are merged. */
export const TEXT_LIMITS = {
  /** A larger text, or one of more lines, is merged by a git process, because a merge here would block the service. */
  inProcessBytes: MIB,
  inProcessLines: 20_000,
  /** A larger text is not merged by lines: it is a conflict. */
  mergedBytes: 32 * MIB,
  /** Of one `git merge-file`. When it needs more, the text is a conflict. */
  git: { memoryBytes: GIT_LIMITS.memoryBytes, cpuSeconds: 10 },
  /** All texts of one landing. When they need more, the remaining ones are conflicts. */
  totalMs: 60_000,
} as const;
