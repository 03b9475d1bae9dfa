import { readFile } from "node:fs/promises";
import { join } from "node:path";
import picomatch from "picomatch";
import { countChanges, COUNTED, runGit, type ChangeCounts } from "@agentswarm/git";

/** Who the agent's commits are by; the merger signs the landing itself. */
export const AUTHOR = { name: "AgentSwarm Agent", email: "agent@agentswarm.invalid" };

/** What the work tree has over its base. */
export type Changes = ChangeCounts;

/** An index of the runner's own, so that whatever the agent does with git's (or commits) makes no difference. */
const INDEX = { GIT_INDEX_FILE: ".git/swarm-index" };

/** Takes in the whole work tree and counts it against the base. */
export async function stageChanges(repo: string, base: string): Promise<Changes> {
  const git = (...args: string[]) => runGit(args, { cwd: repo, env: INDEX });
  await git("read-tree", "--reset", base);
  await git("add", "--all");
  return countChanges((await git("diff-index", "--cached", ...COUNTED, base, "--")).stdout);
}

/** Makes what was staged last one commit on the base, by us and by nobody else. Returns it. */
export async function commitChanges(repo: string, base: string, message: string): Promise<string> {
  const env = {
    ...INDEX,
    GIT_AUTHOR_NAME: AUTHOR.name,
    GIT_AUTHOR_EMAIL: AUTHOR.email,
    GIT_COMMITTER_NAME: AUTHOR.name,
    GIT_COMMITTER_EMAIL: AUTHOR.email,
  };
  const tree = await runGit(["write-tree"], { cwd: repo, env });
  const args = ["commit-tree", tree.stdout.trim(), "-p", base, "-F", "-"];
  // Git refuses a message with a NUL in it.
  const commit = await runGit(args, { cwd: repo, env, input: message.replaceAll("\0", "") });
  return commit.stdout.trim();
}

/** Paths that none of the scope's globs covers; an empty scope covers all. */
export function outsideScope(files: readonly string[], scope: readonly string[]): string[] {
  if (scope.length === 0) return [];
  const matches = scope.map((glob) => picomatch(glob.endsWith("/") ? `${glob}**` : glob, { dot: true }));
  return files.filter((file) => !matches.some((match) => match(file)));
}

/** Files in which a conflict's markers are left. */
export async function markersLeft(repo: string, files: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const file of files) {
    const text = await readFile(join(repo, file), "utf8").catch(() => "");
    if (/^<{7} |^>{7} /m.test(text)) left.push(file);
  }
  return left;
}
