import { TRAILER } from "@agentswarm/contracts";
import { MERGER } from "./landing-log.ts";
import { runGit } from "./run-git.ts";

/** What a landing tells about where it comes from. */
export interface Trailers {
  readonly taskId: string;
  readonly featureId: string;
  readonly attempt: number;
  readonly model: string;
  readonly costUsd: number;
}

export interface Author {
  readonly name: string;
  readonly email: string;
  /** Git's raw date, "<seconds> <zone>". */
  readonly date: string;
}

export interface CommitText {
  readonly commit: string;
  readonly author: Author;
  readonly message: string;
}

export async function readCommit(dir: string, commit: string): Promise<CommitText> {
  const format = "--format=%an%x00%ae%x00%ad%x00%B";
  const { stdout } = await runGit(["log", "-1", "--date=raw", format, "--end-of-options", commit], {
    cwd: dir,
  });
  const [name = "", email = "", date = "0 +0000", ...message] = stdout.split("\0");
  return { commit, author: { name, email, date }, message: message.join("").trim() };
}

/**
 * The message of a landed commit: what the agent wrote, without any line that poses as one of our trailers, and
 * our own trailers at its end.
 */
export function landingMessage(message: string, trailers: Trailers | null): string {
  const kept = message
    .split("\n")
    .filter((line) => !/^\s*swarm-[a-z-]+\s*:/i.test(line))
    .join("\n")
    .trim();
  if (trailers === null) return `${kept}\n`;
  const lines = [
    `${TRAILER.task}: ${trailers.taskId}`,
    `${TRAILER.feature}: ${trailers.featureId}`,
    `${TRAILER.attempt}: ${trailers.attempt}`,
    `${TRAILER.model}: ${trailers.model.replaceAll(/\s+/g, " ")}`,
    `${TRAILER.costUsd}: ${trailers.costUsd.toFixed(6)}`,
  ];
  return `${kept}\n\n${lines.join("\n")}\n`;
}

/** Writes a commit made by the merger. */
export async function writeCommit(
  dir: string,
  commit: { tree: string; parents: readonly string[]; author: Author; message: string },
): Promise<string> {
  const parents = commit.parents.flatMap((parent) => ["-p", parent]);
  const { stdout } = await runGit(["commit-tree", ...parents, "-F", "-", commit.tree], {
    cwd: dir,
    input: commit.message,
    env: {
      GIT_AUTHOR_NAME: commit.author.name,
      GIT_AUTHOR_EMAIL: commit.author.email,
      GIT_AUTHOR_DATE: `@${commit.author.date}`,
      GIT_COMMITTER_NAME: MERGER.name,
      GIT_COMMITTER_EMAIL: MERGER.email,
    },
  });
  return stdout.trim();
}
