import { createReadStream } from "node:fs";
import { appendFile, open } from "node:fs/promises";
import { join } from "node:path";
import { DOOR, type Assignment } from "@agentswarm/contracts";
import { runGit } from "@agentswarm/git";
import { AUTHOR } from "./changes.ts";
import type { Door, Relay } from "./door.ts";
import { rehearse } from "./rehearse.ts";

/** What can be done before the task is known, so that nobody waits for it later. */
export interface Prepared {
  /** An empty repository. */
  readonly repo: string;
  /** Where the model is asked. */
  readonly relay: Relay;
}

export async function prepare(door: Door, workDir: string): Promise<Prepared> {
  const repo = join(workDir, "repo");
  const relay = await door.openRelay();
  await Promise.all([initRepo(repo, workDir), rehearse(relay, workDir)]);
  return { repo, relay };
}

async function initRepo(repo: string, workDir: string): Promise<void> {
  await runGit(["init", "--quiet", repo], { cwd: workDir });
  const user = `[user]\n\tname = ${AUTHOR.name}\n\temail = ${AUTHOR.email}\n`;
  await appendFile(join(repo, ".git/config"), user);
}

/**
 * Lays out the work tree: the base commit, and for a resolve the conflicting attempt merged into it, so that the
 * conflict's markers are in the files.
 */
export async function layOut(
  door: Door,
  assignment: Assignment,
  repo: string,
  workDir: string,
): Promise<void> {
  const git = (...args: string[]) => runGit(args, { cwd: repo });
  // All are asked for at once, but each stands on the one before.
  const parts = [DOOR.fullBundle, DOOR.thinBundle, DOOR.resolveBundle].map(async (route, nth) => {
    const file = join(workDir, `${nth}.bundle`);
    return (await door.save(route, file)) ? file : null;
  });
  for (const file of await Promise.all(parts)) if (file !== null) await unpack(repo, file);
  await git("checkout", "--quiet", "-B", "work", assignment.baseCommit);
  const { resolve } = assignment.task;
  if (resolve !== undefined) {
    await runGit(["merge", "--no-commit", "--no-ff", "--quiet", resolve.headCommit], {
      cwd: repo,
      answers: [1],
    });
    // What comes out is one ordinary commit on the base, not a merge.
    await runGit(["merge", "--quit"], { cwd: repo });
  }
}

/** The longest header of a bundle from our own host: a line for each of a few commits. */
const HEADER_BYTES = 4_096;

/** Takes a bundle's objects in. The host made it, so they are not looked at again, as `git fetch` would. */
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
