import { initBare } from "./init-bare.ts";
import { maskCredential, type OriginAddress } from "./origin-address.ts";
import { findBare, findTrunk, originFault, reachOrigin } from "./reach-origin.ts";
import { assertMayPublish, type PublishRight, type RefMove } from "./publish-right.ts";
import { LOCKS_STALE_AFTER_MS, recoverLocks } from "./recover-locks.ts";
import { openRepository, type Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";

/** The origin: a repository that can be read here, and whose refs can be moved. */
export interface Mirror extends Repository, Disposable {
  /** Whether it is a copy of the origin, which belongs to one service; else it is the origin itself. */
  readonly isCopy: boolean;
  /** Fetches the origin's branches. Throws Fault `origin.unreachable`, retryable. */
  fetch(): Promise<void>;
  /**
   * Moves a ref of the origin by compare-and-swap; "moved": the ref was not at `from`. Throws Fault `git.refused` when
   * `by` is lost (retryable), or when `to` does not descend from `from`.
   */
  push(move: RefMove, by: PublishRight): Promise<"published" | "moved">;
}

const REMOTE = "refs/remotes/origin";

/**
 * Opens one service's bare mirror of the origin at `dir`, and makes it when there is none. Nothing is ever checked out.
 * Throws Fault `origin.unreachable` (retryable), and `target.invalid` when the origin has no commit.
 */
export async function openMirror(options: {
  origin: OriginAddress;
  dir: string;
  trunk?: string | undefined;
}): Promise<Mirror> {
  const { origin, dir } = options;
  const { url, credential } = origin;
  await initBare(dir);
  const trunk = options.trunk || (await findTrunk(dir, origin));
  const repository = openRepository({ dir, url, trunk, branches: REMOTE });
  // Verbose, because simple-git waits another 50 ms for the output of a command that wrote none.
  const how = ["--verbose", "--no-tags", "--prune", "--no-write-fetch-head"];
  const whereIs = async (ref: string): Promise<string | null> => {
    const { value } = await reachOrigin(dir, origin, (git) => git.listRemote(["--", url, ref]));
    const line = value.split("\n").find((one) => one.endsWith(`\t${ref}`));
    return line?.slice(0, line.indexOf("\t")) ?? null;
  };
  const mirror: Mirror = {
    ...repository,
    isCopy: true,
    fetch: shareRuns(async () => {
      try {
        await reachOrigin(dir, origin, (git) => git.fetch([...how, "--", url, `+refs/heads/*:${REMOTE}/*`]));
      } catch (error) {
        // A killed fetch may have left a lock, and every later fetch fails while it exists.
        await recoverLocks(dir, LOCKS_STALE_AFTER_MS);
        throw error;
      }
    }),
    async push(move, by) {
      const { ref, from, to } = move;
      await assertMayPublish(move, by, repository.isAncestor);
      const lease = `--force-with-lease=${ref}:${from ?? ""}`;
      // Raw, because `git.push` has no place for "--" before the URL.
      const args = ["push", "--porcelain", lease, "--", url, `${to}:${ref}`];
      const { exitCode, value, stderr } = await reachOrigin(dir, origin, (git) => git.raw(args), [1]);
      if (exitCode !== 0) {
        if ((await whereIs(ref)) !== from) return "moved";
        const here = await findBare(url);
        if (here !== null) await recoverLocks(here, LOCKS_STALE_AFTER_MS);
        throw originFault(
          maskCredential(`the push was refused: ${value.trim()}\n${stderr.trim()}`, credential),
        );
      }
      const name = ref.replace(/^refs\/heads\//, "");
      await runGit(["update-ref", `${REMOTE}/${name}`, to], { cwd: dir });
      return "published";
    },
    [Symbol.dispose]: () => undefined,
  };
  await mirror.fetch();
  return mirror;
}

/**
 * Runs one at a time, and lets callers share the run that has not started: git locks its refs, so two fetches at once
 * would fail, and a hundred agents that ask for the newest trunk need one fetch.
 */
function shareRuns(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;
  return () => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = null;
        running = run();
        return running;
      });
    return next;
  };
}
