import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { WITHOUT_INSTALLED_FOLDERS } from "@agentswarm/contracts";
import { countChanges, COUNTED, runGit, type ChangeCounts } from "@agentswarm/git";

/** Author and committer of the agent's commits. The merger makes the landing commit under its own identity. */
export const AUTHOR = { name: "AgentSwarm Agent", email: "agent@agentswarm.invalid" };

/** The runner's own index: the agent may change, lock or commit git's index without an effect on the result. */
const INDEX = { GIT_INDEX_FILE: ".git/swarm-index" };

/** Stages the whole work tree and counts the changes against the base. */
export async function stageChanges(repo: string, base: string): Promise<ChangeCounts> {
  const git = (...args: string[]) => runGit(args, { cwd: repo, env: INDEX });
  await git("read-tree", "--reset", base);
  await git("add", "--all", "--", ".", ...WITHOUT_INSTALLED_FOLDERS);
  return countChanges((await git("diff-index", "--cached", ...COUNTED, base, "--")).stdout);
}

/** Makes the changes staged last one commit on the base, with AUTHOR as author and committer. Returns the commit. */
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
  // Git refuses a message that contains NUL.
  const commit = await runGit(args, { cwd: repo, env, input: message.replaceAll("\0", "") });
  return commit.stdout.trim();
}

/** Files that contain conflict markers. */
export async function markersLeft(repo: string, files: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const file of files) {
    const text = await readFile(join(repo, file), "utf8").catch(() => "");
    if (/^<{7} |^>{7} /m.test(text)) left.push(file);
  }
  return left;
}
