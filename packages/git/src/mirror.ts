import { Fault } from "@agentswarm/contracts";
import { initBare } from "./init-bare.ts";
import { readLandings, type Landing } from "./landing-log.ts";
import { runGit } from "./run-git.ts";

export interface CommitInfo {
  readonly commit: string;
  readonly title: string;
  readonly author: string;
  /** Seconds since 1970. */
  readonly at: number;
}

/** One service's own bare copy of the origin. Nothing is ever checked out of it. */
export interface Mirror {
  readonly dir: string;
  readonly url: string;
  /** The trunk's branch name. */
  readonly trunk: string;
  /** Throws Fault `origin.unreachable`, retryable. */
  fetch(): Promise<void>;
  /** The trunk's newest commit as of the last fetch. */
  head(): Promise<string>;
  green(): Promise<string | null>;
  treeOf(commit: string): Promise<string>;
  readFile(commit: string, path: string): Promise<string | null>;
  listFiles(commit: string): Promise<string[]>;
  recentCommits(commit: string, count: number): Promise<CommitInfo[]>;
  diffStat(from: string, to: string): Promise<string>;
  changedPaths(from: string, to: string): Promise<string[]>;
  isAncestor(ancestor: string, descendant: string): Promise<boolean>;
  landings(head: string, since?: string): Promise<Landing[]>;
  /** Moves the origin's `ref` from `from` (null: must not exist) to its descendant `to`, or says it had moved. */
  push(ref: string, from: string | null, to: string): Promise<"published" | "moved">;
}

const REMOTE = "refs/remotes/origin";
const ORIGIN_TIMEOUT_MS = 60_000;
const MOVED =
  /stale info|fetch first|non-fast-forward|cannot lock ref|failed to lock|reference already exists|remote rejected/;

/** Opens the mirror of `url` at `dir`, making and filling it the first time. */
export async function openMirror(options: { url: string; dir: string; trunk?: string }): Promise<Mirror> {
  const { url, dir } = options;
  await initBare(dir);
  const trunk = options.trunk ?? (await findTrunk(dir, url));
  const git = async (args: string[], answers: number[] = []) => runGit(args, { cwd: dir, answers });
  const resolve = async (name: string): Promise<string | null> => {
    const found = await git(
      ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`],
      [1, 128],
    );
    return found.exitCode === 0 ? found.stdout.trim() : null;
  };

  const mirror: Mirror = {
    dir,
    url,
    trunk,
    fetch: shareRuns(() =>
      reach(dir, [
        "fetch",
        "--quiet",
        "--no-tags",
        "--prune",
        "--no-write-fetch-head",
        "--",
        url,
        `+refs/heads/*:${REMOTE}/*`,
      ]),
    ),
    async head() {
      const head = await resolve(`${REMOTE}/${trunk}`);
      if (head === null)
        throw new Fault("target.invalid", `${url} has no branch ${trunk}: set TRUNK to one it has`);
      return head;
    },
    green: () => resolve(`${REMOTE}/green`),
    async treeOf(commit) {
      return (await git(["rev-parse", "--verify", "--end-of-options", `${commit}^{tree}`])).stdout.trim();
    },
    async readFile(commit, path) {
      const found = await git(["cat-file", "blob", `${commit}:${path}`], [128]);
      return found.exitCode === 0 ? found.stdout : null;
    },
    async listFiles(commit) {
      const { stdout } = await git(["ls-tree", "-r", "-z", "--name-only", "--end-of-options", commit]);
      return stdout.split("\0").filter((path) => path !== "");
    },
    async recentCommits(commit, count) {
      const format = "--format=%H%x00%s%x00%an%x00%at";
      const { stdout } = await git([
        "log",
        `-${count}`,
        "--first-parent",
        format,
        "--end-of-options",
        commit,
      ]);
      return stdout.split("\n").flatMap((line) => {
        const [hash, title = "", author = "", at = "0"] = line.split("\0");
        return hash ? [{ commit: hash, title, author, at: Number(at) }] : [];
      });
    },
    async diffStat(from, to) {
      return (await git(["diff", "--stat=100", "--no-ext-diff", "--no-textconv", from, to, "--"])).stdout;
    },
    async changedPaths(from, to) {
      const { stdout } = await git(["diff-tree", "-r", "-z", "--name-only", "--no-renames", from, to, "--"]);
      return stdout.split("\0").filter((path) => path !== "");
    },
    async isAncestor(ancestor, descendant) {
      const args = ["merge-base", "--is-ancestor", ancestor, descendant];
      return (await git(args, [1])).exitCode === 0;
    },
    landings: (head, since) => readLandings(dir, head, since),
    async push(ref, from, to) {
      if (from !== null && !(await mirror.isAncestor(from, to))) {
        throw new Fault("git.refused", `${ref} only moves forward: ${to} does not descend from ${from}`);
      }
      const lease = `--force-with-lease=${ref}:${from ?? ""}`;
      try {
        await reach(dir, ["push", "--quiet", "--porcelain", lease, "--", url, `${to}:${ref}`]);
      } catch (error) {
        if (MOVED.test(Fault.from(error).message)) return "moved";
        throw error;
      }
      const name = ref.replace(/^refs\/heads\//, "");
      await git(["update-ref", `${REMOTE}/${name}`, to]);
      return "published";
    },
  };
  await mirror.fetch();
  return mirror;
}

/**
 * Lets callers share a run that has not begun yet: git locks its refs, so two fetches at once would fail, and a
 * hundred agents asking for the newest trunk need one fetch, not a hundred.
 */
export function shareRuns(run: () => Promise<void>): () => Promise<void> {
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

/** Talks to the origin; whatever goes wrong there may be right again later. */
async function reach(dir: string, args: string[]): Promise<void> {
  try {
    await runGit(args, { cwd: dir, timeoutMs: ORIGIN_TIMEOUT_MS });
  } catch (cause) {
    const message = Fault.from(cause).message;
    throw new Fault("origin.unreachable", `GIT_REPO_URL: ${message}`, { retryable: true, cause });
  }
}

async function findTrunk(dir: string, url: string): Promise<string> {
  const answer = await runGit(["ls-remote", "--symref", "--", url, "HEAD"], {
    cwd: dir,
    timeoutMs: ORIGIN_TIMEOUT_MS,
  }).catch((cause: unknown) => {
    throw new Fault("origin.unreachable", `GIT_REPO_URL: ${Fault.from(cause).message}`, {
      retryable: true,
      cause,
    });
  });
  const trunk = /^ref: refs\/heads\/(\S+)\tHEAD/m.exec(answer.stdout)?.[1];
  if (trunk === undefined) {
    throw new Fault(
      "target.invalid",
      `GIT_REPO_URL: ${url} has no commit on its HEAD; push one, or set TRUNK`,
    );
  }
  return trunk;
}
