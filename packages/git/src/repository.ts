import { Fault } from "@agentswarm/contracts";
import { readLandings, type Landing } from "./landing-log.ts";
import { runGit } from "./run-git.ts";

export interface CommitInfo {
  readonly commit: string;
  readonly title: string;
  readonly author: string;
  /** Seconds since 1970. */
  readonly at: number;
}

/** What can be read of a bare repository that has the origin's branches. */
export interface Repository {
  readonly dir: string;
  readonly url: string;
  /** The trunk's branch name. */
  readonly trunk: string;
  /** The trunk's newest commit, as far as is known here. Throws Fault `target.invalid` when there is none. */
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
}

/** `branches` is where the origin's branches are: refs/heads, or refs/remotes/origin of a mirror. */
export function openRepository(options: {
  dir: string;
  url: string;
  trunk: string;
  branches: string;
}): Repository {
  const { dir, url, trunk, branches } = options;
  const git = async (args: string[], answers: number[] = []) => runGit(args, { cwd: dir, answers });
  const resolve = async (name: string): Promise<string | null> => {
    const found = await git(
      ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`],
      [1, 128],
    );
    return found.exitCode === 0 ? found.stdout.trim() : null;
  };
  return {
    dir,
    url,
    trunk,
    async head() {
      const head = await resolve(`${branches}/${trunk}`);
      if (head === null)
        throw new Fault("target.invalid", `${url} has no branch ${trunk}: set TRUNK to one it has`);
      return head;
    },
    green: () => resolve(`${branches}/green`),
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
      const args = ["log", `-${count}`, "--first-parent", format, "--end-of-options", commit];
      return (await git(args)).stdout.split("\n").flatMap((line) => {
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
  };
}
