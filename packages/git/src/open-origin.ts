import { accessSync, constants, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openInPlace } from "./open-in-place.ts";
import { openMirror, type Mirror } from "./mirror.ts";
import { originAddress } from "./origin-address.ts";
import { findBare } from "./reach-origin.ts";
import { recoverLocks } from "./recover-locks.ts";
import { refuseUnlessSample } from "./sample.ts";
import { safeGit } from "./safe-git.ts";

/** Hooks that a push runs. A ref that is moved in place runs none, so an origin that has one gets pushes. */
const PUSH_HOOKS = new Set([
  "pre-receive",
  "update",
  "proc-receive",
  "post-receive",
  "post-update",
  "reference-transaction",
]);

/**
 * Opens the origin: in place when it is a bare repository on this machine that may be written to and has no push hooks,
 * else as a mirror in `mirrorDir`, which belongs to one service. Throws Fault `origin.unreachable` (retryable), and
 * `target.invalid` when the origin has no commit, and `config.invalid` by `sampleOnly`.
 */
export async function openOrigin(options: {
  url: string;
  /** `user:password` or a token, for an origin over HTTP; without it the one in the URL. */
  credential?: string | undefined;
  /** The branch to land on; by default the one that the origin's HEAD names. */
  trunk?: string | undefined;
  mirrorDir: string;
  /** Refuses an origin that was not seeded from the sample project. */
  sampleOnly?: boolean | undefined;
  /** Set by the only process that uses `mirrorDir`: gets the locks that a killed git left there, which are removed. */
  recover?: (locks: readonly string[]) => void;
}): Promise<Mirror> {
  const { url, trunk, mirrorDir, recover } = options;
  const inPlace = await findInPlace(url);
  const origin = originAddress(url, options.credential);
  if (options.sampleOnly === true) await refuseUnlessSample(inPlace ?? tmpdir(), origin);
  if (inPlace !== null) return openInPlace({ url, trunk, dir: inPlace });
  if (recover !== undefined) {
    const locks = await recoverLocks(mirrorDir);
    if (locks.length > 0) recover(locks);
  }
  return openMirror({ origin, trunk, dir: mirrorDir });
}

/** The folder of an origin that can be used in place, or null. */
export async function findInPlace(url: string): Promise<string | null> {
  const path = await findBare(url);
  if (path === null || !isAllowed(path, constants.W_OK)) return null;
  const { exitCode } = await safeGit({ cwd: path, answers: [1] }, (git) =>
    git.getConfig("core.hooksPath", "local"),
  );
  const hasHooks = exitCode === 0 || listHooks(path).some((name) => PUSH_HOOKS.has(name));
  return hasHooks ? null : path;
}

function listHooks(repository: string): string[] {
  const dir = join(repository, "hooks");
  try {
    return readdirSync(dir).filter((name) => isAllowed(join(dir, name), constants.X_OK));
  } catch {
    return [];
  }
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
