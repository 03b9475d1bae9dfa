import { join } from "node:path";
import type { Assignment } from "@agentswarm/contracts";
import { runGit } from "@agentswarm/git";
import { AUTHOR } from "./changes.ts";
import type { Door } from "./door.ts";

/**
 * Lays out the work tree: the base commit, and for a resolve the conflicting attempt merged into it, so that the
 * conflict's markers are in the files. Returns its folder.
 */
export async function prepareRepo(door: Door, assignment: Assignment, workDir: string): Promise<string> {
  const repo = join(workDir, "repo");
  const git = (...args: string[]) => runGit(args, { cwd: repo });
  await runGit(["init", "--quiet", repo], { cwd: workDir });
  await git("config", "user.name", AUTHOR.name);
  await git("config", "user.email", AUTHOR.email);
  for (const part of ["full", "thin", "resolve"]) {
    const file = join(workDir, `${part}.bundle`);
    if (!(await door.save(`/bundle/${part}`, file))) continue;
    await git("fetch", "--quiet", "--no-tags", file, `+refs/*:refs/bundled/${part}/*`);
  }
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
  return repo;
}
