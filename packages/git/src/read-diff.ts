import { asFault, maskSecrets, showHidden } from "@agentswarm/contracts";
import { GIT_LIMITS } from "./content-limits.ts";
import { DIFF_OPTIONS, diffSafely } from "./diff-safely.ts";
import { runGit } from "./run-git.ts";

/** What a person looks at of an attempt's changes. For looking, not for applying: hidden characters are written out. */
export interface AttemptDiff {
  /** Lines added and removed of each file, as git's `--numstat` writes them, and then the patch. Binary files by name. */
  readonly text: string;
  /** Why the rest is left out; null when nothing is. */
  readonly cut: string | null;
}

/** The most that is kept of one diff. */
const MAX_BYTES = 2 * 1024 * 1024;
/** Less than for the measuring of an attempt: a person reads no diff that takes longer. */
const LIMITS = { ...GIT_LIMITS, cpuSeconds: 20 };

/**
 * The changes between two commits, masked. Content of an agent chooses nothing of how it is compared (see `diffSafely`);
 * where comparing it takes git over its limits, only the names of the files are there.
 */
export async function readDiff(
  dir: string,
  base: string,
  head: string,
  maxBytes = MAX_BYTES,
): Promise<AttemptDiff> {
  const diff = async (...how: readonly string[]) => {
    const args = ["diff-tree", ...DIFF_OPTIONS, ...how, base, head, "--"];
    const { stdout, cut } = await runGit(args, { ...diffSafely(dir, LIMITS), cutAtBytes: maxBytes });
    // Half a line may be half a key, which no mask knows.
    const whole = cut ? stdout.slice(0, stdout.lastIndexOf("\n") + 1) : stdout;
    const why = cut ? `the diff has more than ${maxBytes} bytes` : null;
    return { text: showHidden(maskSecrets(whole)), cut: why };
  };
  try {
    return await diff("--numstat", "--patch", "--full-index");
  } catch (error) {
    const { code, message } = asFault(error);
    if (code !== "git.refused") throw error;
    const names = await diff("--name-status");
    return { text: names.text, cut: message };
  }
}
