import { Fault } from "@agentswarm/contracts";
import { faultOfGit } from "./fault-of-git.ts";
import { readLandings, type Landing } from "./landing-log.ts";
import { runGit } from "./run-git.ts";
import { safeGit } from "./safe-git.ts";

export interface CommitInfo {
  readonly commit: string;
  readonly title: string;
  readonly author: string;
  /** Seconds since 1970. */
  readonly at: number;
}

/** Reads from a bare repository that has the origin's branches. */
export interface Repository {
  readonly dir: string;
  readonly url: string;
  /** The trunk's branch name. */
  readonly trunk: string;
  /** The trunk's newest commit, as of the last fetch. Throws Fault `target.invalid` when there is no trunk. */
  head(): Promise<string>;
  /** The commit of the branch "green", as of the last fetch; null: there is no such branch. */
  green(): Promise<string | null>;
  treeOf(commit: string): Promise<string>;
  /** The text of a file; null: there is no such file. */
  readFile(commit: string, path: string): Promise<string | null>;
  listFiles(commit: string): Promise<string[]>;
  recentCommits(commit: string, count: number): Promise<CommitInfo[]>;
  /** The `--stat` of each commit against its first parent, in the order of `commits`. */
  diffStats(commits: readonly string[]): Promise<string[]>;
  /** False too when the repository lacks `ancestor`: a new mirror has nothing of a history that the trunk left. */
  isAncestor(ancestor: string, descendant: string): Promise<boolean>;
  /** Whether the history of `commit` contains all of `wanted`. False too when one of these commits is not here. */
  hasAll(commit: string, wanted: readonly string[]): Promise<boolean>;
  /** See `readLandings`. */
  landings(head: string, since?: string): Promise<Landing[]>;
}

/** `branches`: the prefix of the origin's branches, which is refs/heads, or refs/remotes/origin in a mirror. */
export function openRepository(options: {
  dir: string;
  url: string;
  trunk: string;
  branches: string;
}): Repository {
  const { dir, url, trunk, branches } = options;
  const here = { cwd: dir };
  const orNull = { cwd: dir, answers: [128] };
  /** Git reports a missing object like any other failure, so a failed command asks for its objects afterwards. */
  const lacksOneOf = async (commits: readonly string[]): Promise<boolean> => {
    const input = commits.map((one) => `${one}^{commit}\n`).join("");
    const { stdout } = await runGit(["cat-file", "--batch-check"], { cwd: dir, input });
    return stdout.split("\n").some((line) => line.endsWith(" missing"));
  };
  const resolve = async (name: string): Promise<string | null> => {
    const args = ["--verify", "--end-of-options", `${name}^{commit}`];
    const found = await safeGit(orNull, (git) => git.revparse(args));
    return found.exitCode === 0 ? found.value : null;
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
      const args = ["--verify", "--end-of-options", `${commit}^{tree}`];
      return (await safeGit(here, (git) => git.revparse(args))).value;
    },
    async readFile(commit, path) {
      // `git.show` would run a text conversion that the user's configuration names.
      const found = await safeGit(orNull, (git) => git.catFile(["blob", `${commit}:${path}`]));
      return found.exitCode === 0 ? found.value : null;
    },
    async listFiles(commit) {
      const args = ["ls-tree", "-r", "-z", "--name-only", "--end-of-options", commit];
      const { value } = await safeGit(here, (git) => git.raw(args));
      return value.split("\0").filter((path) => path !== "");
    },
    async recentCommits(commit, count) {
      // Raw, because `git.log` parts its fields by letters that a title may contain.
      const format = "--format=%H%x00%s%x00%an%x00%at";
      const args = ["log", `-${count}`, "--first-parent", format, "--end-of-options", commit];
      const { value } = await safeGit(here, (git) => git.raw(args));
      return value.split("\n").flatMap((line) => {
        const [hash, title = "", author = "", at = "0"] = line.split("\0");
        return hash ? [{ commit: hash, title, author, at: Number(at) }] : [];
      });
    },
    async diffStats(commits) {
      if (commits.length === 0) return [];
      const how = ["--no-walk=unsorted", "--first-parent", "-m", "--no-ext-diff", "--no-textconv"];
      const input = commits.map((commit) => `${commit}\n`).join("");
      const args = ["log", ...how, "--stat=100", "--format=%x00", "--stdin"];
      const { value } = await safeGit({ cwd: dir, input }, (git) => git.raw(args));
      const stats = value.split("\0").slice(1);
      return commits.map((_, nth) => stats[nth]?.replace(/^\n+/, "") ?? "");
    },
    async isAncestor(ancestor, descendant) {
      const args = ["merge-base", "--is-ancestor", ancestor, descendant];
      const { exitCode, stderr } = await runGit(args, { cwd: dir, answers: [1, 128] });
      if (exitCode !== 128 || (await lacksOneOf([ancestor]))) return exitCode === 0;
      throw faultOfGit(`git merge-base (128): ${stderr.trim()}`, stderr, { interrupted: false });
    },
    async hasAll(commit, wanted) {
      const input = `${wanted.map((one) => `${one}\n`).join("")}^${commit}\n`;
      const args = ["rev-list", "--max-count=1", "--stdin"];
      const { exitCode, stdout, stderr } = await runGit(args, { cwd: dir, input, answers: [128] });
      if (exitCode === 0) return stdout === "";
      if (await lacksOneOf([commit, ...wanted])) return false;
      throw faultOfGit(`git rev-list (128): ${stderr.trim()}`, stderr, { interrupted: false });
    },
    landings: (head, since) => readLandings(dir, head, since),
  };
}
