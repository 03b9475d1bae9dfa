import { landingMessage } from "./landing-message.ts";
import { MERGER } from "../landing-log.ts";
import { runGit } from "../run-git.ts";
import { formatCommit, type CommitObject } from "../objects/commit-object.ts";
import type { BuiltLanding, LandingRequest } from "./landing.ts";
import type { MergedTree } from "./merge-by-git.ts";
import type { Objects } from "../objects/objects.ts";

export const MERGE_STRATEGIES = ["fast-forward", "rebase", "squash", "merge-commit"] as const;
export type MergeStrategy = (typeof MERGE_STRATEGIES)[number];

/** A commit to build on, and its tree. */
export interface Position {
  readonly commit: string;
  readonly tree: string;
}

/** A three-way merge of trees. */
export type Merge = (base: string, ours: string, theirs: string) => Promise<MergedTree>;

interface Building {
  readonly objects: Objects;
  readonly merge: Merge;
  readonly strategy: MergeStrategy;
  readonly at: Position;
  readonly request: LandingRequest;
}

/**
 * Builds the commits of one landing on top of `at`.
 *
 * | strategy | commits | parents | author | message |
 * |---|---|---|---|---|
 * | fast-forward | one | the trunk's head | of the attempt's last commit | of its last commit |
 * | squash | one | the trunk's head | of its last commit | the task's title, then the subject of each commit |
 * | rebase | each of the attempt's, in order | the one before | its own | its own; trailers on the last only |
 * | merge-commit | one | the trunk's head and the attempt's | the merger | the task's title |
 *
 * The committer is always the merger.
 */
export async function buildLanding(building: Building): Promise<BuiltLanding> {
  const { objects, merge, strategy, at, request } = building;
  if (strategy === "rebase") return rebase(building);
  const [base, head] = await Promise.all([objects.commit(request.base), objects.commit(request.head)]);
  const merged = await merge(base.tree, at.tree, head.tree);
  if (merged.kind === "conflict") return merged;
  if (merged.tree === at.tree) return { kind: "empty" };
  const isMerge = strategy === "merge-commit";
  const body = formatCommit({
    tree: merged.tree,
    parents: isMerge ? [at.commit, request.head] : [at.commit],
    author: isMerge ? mergerNow() : authorOf(head),
    committer: mergerNow(),
    message: landingMessage(await messageOf(building, head), request.trailers, request.byDefault),
  });
  return { kind: "built", tree: merged.tree, commit: objects.putCommit(body) };
}

async function messageOf({ objects, strategy, request }: Building, head: CommitObject): Promise<string> {
  if (strategy === "fast-forward") return head.message;
  if (strategy === "merge-commit") return request.title;
  const subjects: string[] = [];
  for (const id of await commitsOf(objects, request)) {
    subjects.push(`- ${(await objects.commit(id)).message.split("\n")[0] ?? ""}`);
  }
  return `${request.title}\n\n${subjects.join("\n")}`;
}

async function rebase({ objects, merge, at, request }: Building): Promise<BuiltLanding> {
  const commits = await commitsOf(objects, request);
  let { commit, tree } = at;
  for (const id of commits) {
    const own = await objects.commit(id);
    const before = await objects.commit(own.parents[0] ?? request.base);
    const merged = await merge(before.tree, tree, own.tree);
    if (merged.kind === "conflict") return merged;
    const isLast = id === commits.at(-1);
    if (merged.tree === tree && !isLast) continue;
    tree = merged.tree;
    commit = objects.putCommit(
      formatCommit({
        tree,
        parents: [commit],
        author: authorOf(own),
        committer: mergerNow(),
        message: landingMessage(own.message, isLast ? request.trailers : null, request.byDefault),
      }),
    );
  }
  return tree === at.tree ? { kind: "empty" } : { kind: "built", commit, tree };
}

/** The attempt's own commits without merges, oldest first. */
async function commitsOf(objects: Objects, { base, head }: LandingRequest): Promise<string[]> {
  const chain: string[] = [];
  for (let id = head; id !== base;) {
    const { parents } = await objects.commit(id);
    const [parent] = parents;
    // Not linear, so git lists the commits between.
    if (parent === undefined || parents.length > 1) return commitsByGit(objects.dir, base, head);
    chain.push(id);
    id = parent;
  }
  return chain.toReversed();
}

async function commitsByGit(dir: string, base: string, head: string): Promise<string[]> {
  const args = ["rev-list", "--reverse", "--no-merges", "--end-of-options", `${base}..${head}`];
  return (await runGit(args, { cwd: dir })).stdout.split("\n").filter((line) => line !== "");
}

/** The authors that git's own check accepts. */
const VALID_AUTHOR = /^[^<>\n\0]+ <[^<>\n\0]*> (?:0|[1-9]\d{0,11}) [+-]\d{4}$/;

/** The author of a commit, or the merger when git's check would refuse the author. */
function authorOf({ author }: CommitObject): string {
  return VALID_AUTHOR.test(author) ? author : mergerNow();
}

function mergerNow(): string {
  return `${MERGER.name} <${MERGER.email}> ${Math.floor(Date.now() / 1_000)} +0000`;
}
