import { readFile } from "node:fs/promises";
import { join } from "node:path";
import picomatch from "picomatch";
import { runGit } from "@agentswarm/git";

/** Who the agent's commits are by; the merger signs the landing itself. */
export const AUTHOR = { name: "AgentSwarm Agent", email: "agent@agentswarm.invalid" };

/** What the work tree has over its base. */
export interface Changes {
  readonly files: string[];
  readonly linesAdded: number;
  readonly linesRemoved: number;
  readonly filesCreated: number;
  readonly filesModified: number;
}

/** An index of the runner's own, so that whatever the agent does with git's (or commits) makes no difference. */
const INDEX = { GIT_INDEX_FILE: ".git/swarm-index" };

/** Takes in the whole work tree and counts it against the base. */
export async function stageChanges(repo: string, base: string): Promise<Changes> {
  const git = (...args: string[]) => runGit(args, { cwd: repo, env: INDEX });
  await git("read-tree", "--reset", base);
  await git("add", "--all");
  const both = ["--raw", "--numstat", "-z", "--no-renames"];
  return countChanges((await git("diff-index", "--cached", ...both, base, "--")).stdout);
}

/** Reads the records of `--raw -z`, which have their path after them, and of `--numstat -z`, which have it inside. */
function countChanges(text: string): Changes {
  const states: string[] = [];
  const files: string[] = [];
  let [linesAdded, linesRemoved] = [0, 0];
  const records = text.split("\0");
  for (let at = 0; at < records.length; at += 1) {
    const record = records[at] ?? "";
    const state = /^:\d{6} \d{6} \S+ \S+ ([A-Z])/.exec(record)?.[1];
    if (state !== undefined) {
      states.push(state);
      at += 1;
      continue;
    }
    const [added, removed, ...rest] = record.split("\t");
    if (rest.length === 0) continue;
    // A path may hold tabs itself.
    files.push(rest.join("\t"));
    // Binary files count as "-".
    linesAdded += Number(added) || 0;
    linesRemoved += Number(removed) || 0;
  }
  const count = (wanted: string) => states.filter((state) => state === wanted).length;
  return { files, linesAdded, linesRemoved, filesCreated: count("A"), filesModified: count("M") };
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
