import type { ConflictPath } from "@agentswarm/contracts";
import { landingMessage, readCommit, writeCommit, type Trailers } from "./commit.ts";
import { mergeTrees } from "./merge-tree.ts";
import { runGit } from "./run-git.ts";

export const MERGE_STRATEGIES = ["fast-forward", "rebase", "squash", "merge-commit"] as const;
export type MergeStrategy = (typeof MERGE_STRATEGIES)[number];

export interface LandingRequest {
  readonly dir: string;
  readonly strategy: MergeStrategy;
  /** The trunk's head to build on. */
  readonly tip: string;
  /** Where the attempt began, and its last commit. */
  readonly base: string;
  readonly head: string;
  readonly title: string;
  readonly trailers: Trailers;
}

export type BuiltLanding =
  | { kind: "built"; commit: string; tree: string }
  | { kind: "conflict"; paths: ConflictPath[] }
  | { kind: "empty" };

/**
 * Makes the commits of one landing on top of `tip`, without publishing them.
 *
 * | strategy | commits | parents | author | message |
 * |---|---|---|---|---|
 * | fast-forward | one | tip | of the attempt's last commit | of its last commit |
 * | squash | one | tip | of its last commit | the task's title, then the subject of each commit |
 * | rebase | each of the attempt's, in order | the one before | its own | its own; trailers on the last only |
 * | merge-commit | one | tip and the attempt's head | the merger | the task's title |
 *
 * The committer is always the merger. `empty`: the trunk has all of it already.
 */
export async function buildLanding(request: LandingRequest): Promise<BuiltLanding> {
  const { dir, tip, base, head, strategy, trailers } = request;
  if (strategy === "rebase") return rebase(request);
  const merged = await mergeTrees(dir, base, tip, head);
  if (merged.kind === "conflict") return merged;
  if (merged.tree === (await treeOf(dir, tip))) return { kind: "empty" };

  const last = await readCommit(dir, head);
  const write = async (message: string, parents: string[]) => ({
    kind: "built" as const,
    tree: merged.tree,
    commit: await writeCommit(dir, {
      tree: merged.tree,
      parents,
      author: last.author,
      message: landingMessage(message, trailers),
    }),
  });
  if (strategy === "fast-forward") return write(last.message, [tip]);
  if (strategy === "merge-commit") return write(request.title, [tip, head]);
  const subjects = [];
  for (const commit of await commitsBetween(dir, base, head)) {
    subjects.push(`- ${(await readCommit(dir, commit)).message.split("\n")[0]}`);
  }
  return write(`${request.title}\n\n${subjects.join("\n")}`, [tip]);
}

async function rebase({ dir, tip, base, head, trailers }: LandingRequest): Promise<BuiltLanding> {
  const commits = await commitsBetween(dir, base, head);
  let at = tip;
  let tree = await treeOf(dir, tip);
  const before = tree;
  for (const commit of commits) {
    const merged = await mergeTrees(dir, `${commit}^`, at, commit);
    if (merged.kind === "conflict") return merged;
    const { author, message } = await readCommit(dir, commit);
    const isLast = commit === commits.at(-1);
    if (merged.tree === tree && !isLast) continue;
    tree = merged.tree;
    at = await writeCommit(dir, {
      tree,
      parents: [at],
      author,
      message: landingMessage(message, isLast ? trailers : null),
    });
  }
  return tree === before ? { kind: "empty" } : { kind: "built", commit: at, tree };
}

async function commitsBetween(dir: string, base: string, head: string): Promise<string[]> {
  const args = ["rev-list", "--reverse", "--no-merges", "--end-of-options", `${base}..${head}`];
  return (await runGit(args, { cwd: dir })).stdout.split("\n").filter((line) => line !== "");
}

async function treeOf(dir: string, commit: string): Promise<string> {
  return (await runGit(["rev-parse", "--verify", `${commit}^{tree}`], { cwd: dir })).stdout.trim();
}
