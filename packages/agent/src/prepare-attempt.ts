import { createReadStream } from "node:fs";
import { appendFile, open } from "node:fs/promises";
import { join } from "node:path";
import { DOOR, type Assignment } from "@agentswarm/contracts";
import { runGit } from "@agentswarm/git";
import { AUTHOR } from "./changes.ts";
import type { DoorClient } from "./door-client.ts";
import type { ModelRelay } from "./model-relay.ts";
import { warmUp } from "./warm-up.ts";

/** Everything that is made before the task is known, so that the task waits for less. */
export interface PreparedAttempt {
  /** An empty repository. */
  readonly repo: string;
  readonly relay: ModelRelay;
}

export async function prepareAttempt(door: DoorClient, workDir: string): Promise<PreparedAttempt> {
  const repo = join(workDir, "repo");
  const relay = await door.openRelay();
  await Promise.all([initRepo(repo, workDir), warmUp(relay, workDir)]);
  return { repo, relay };
}

async function initRepo(repo: string, workDir: string): Promise<void> {
  await runGit(["init", "--quiet", repo], { cwd: workDir });
  const user = `[user]\n\tname = ${AUTHOR.name}\n\temail = ${AUTHOR.email}\n`;
  await appendFile(join(repo, ".git/config"), user);
}

/**
 * Checks out the base commit, and merges into the work tree what the attempt goes on upon: unfinished work that was
 * parked, which has a resolve's conflicting attempt in it, or else that attempt, so that the files contain the conflict
 * markers. Returns the files in conflict.
 */
export async function checkOutBase(
  door: DoorClient,
  assignment: Assignment,
  repo: string,
  workDir: string,
): Promise<string[]> {
  const git = (...args: string[]) => runGit(args, { cwd: repo });
  // Downloaded at once, but unpacked in this order: each bundle needs the objects of the one before.
  const parts = [DOOR.fullBundle, DOOR.thinBundle, DOOR.resolveBundle].map(async (route, nth) => {
    const file = join(workDir, `${nth}.bundle`);
    return (await door.save(route, file)) ? file : null;
  });
  for (const file of await Promise.all(parts)) if (file !== null) await unpack(repo, file);
  await git("checkout", "--quiet", "-B", "work", assignment.baseCommit);
  const { headCommit } = assignment.upon ?? assignment.task.resolve ?? {};
  if (headCommit === undefined) return [];
  await runGit(["merge", "--no-commit", "--no-ff", "--quiet", headCommit], { cwd: repo, answers: [1] });
  const { stdout } = await git("diff", "--name-only", "-z", "--diff-filter=U");
  // The handed-over commit is an ordinary one on the base, so the merge state is dropped.
  await git("merge", "--quit");
  return stdout.split("\0").filter((path) => path !== "");
}

/** The longest header of a bundle that the dispatcher makes: it has a line for each of a few commits. */
const HEADER_BYTES = 4_096;

/** Adds a bundle's objects to the repository. The dispatcher made the bundle, so `git fetch`'s checks are skipped. */
async function unpack(repo: string, file: string): Promise<void> {
  const bundle = await open(file);
  let start: number;
  try {
    const { buffer, bytesRead } = await bundle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    start = buffer.subarray(0, bytesRead).indexOf("\n\n") + 2;
  } finally {
    await bundle.close();
  }
  const input = createReadStream(file, { start });
  await runGit(["index-pack", "--stdin", "--fix-thin"], { cwd: repo, input });
}
