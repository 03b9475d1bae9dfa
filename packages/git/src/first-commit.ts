import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { originAddress } from "./origin-address.ts";
import { reachOrigin } from "./reach-origin.ts";
import { runGit } from "./run-git.ts";

const AUTHOR = { name: "AgentSwarm", email: "swarm@agentswarm.invalid" };
const MESSAGE = "Begin the project\n\nThe repository was empty, and work needs a commit to start from.\n";

/**
 * Gives a bare repository without branches an empty first commit, on the branch that its HEAD names or on `trunk`.
 * Returns the name of the branch; null when the repository has a branch already.
 */
export async function makeFirstCommit(dir: string, trunk?: string): Promise<string | null> {
  const { stdout: branches } = await runGit(["for-each-ref", "--count=1", "refs/heads/"], { cwd: dir });
  if (branches !== "") return null;
  const { stdout: head } = await runGit(["symbolic-ref", "--short", "HEAD"], { cwd: dir });
  const branch = trunk || head.trim();
  const tree = await runGit(["hash-object", "-t", "tree", "-w", "--stdin"], { cwd: dir, input: "" });
  const commit = await runGit(["commit-tree", tree.stdout.trim()], {
    cwd: dir,
    input: MESSAGE,
    env: {
      GIT_AUTHOR_NAME: AUTHOR.name,
      GIT_AUTHOR_EMAIL: AUTHOR.email,
      GIT_COMMITTER_NAME: AUTHOR.name,
      GIT_COMMITTER_EMAIL: AUTHOR.email,
    },
  });
  await runGit(["update-ref", `refs/heads/${branch}`, commit.stdout.trim(), ""], { cwd: dir });
  return branch;
}

/**
 * Pushes an empty first commit to an origin that has no branch, and leaves any other as it is. For the service that may
 * push. Returns the name of the branch that it made, or null. Throws Fault `origin.refused` or `origin.unreachable`.
 */
export async function beginEmptyOrigin(options: {
  readonly url: string;
  readonly credential?: string | undefined;
  readonly trunk?: string | undefined;
}): Promise<string | null> {
  const origin = originAddress(options.url, options.credential);
  const { url } = origin;
  const branches = await reachOrigin(tmpdir(), origin, (git) => git.listRemote(["--heads", "--", url]));
  if (branches.value.trim() !== "") return null;
  const work = await mkdtemp(join(tmpdir(), "swarm-first-"));
  try {
    const dir = join(work, "origin.git");
    // A clone takes over the name of the branch that the HEAD of an empty repository names.
    await reachOrigin(work, origin, (git) => git.clone(url, dir, ["--bare"]));
    const branch = await makeFirstCommit(dir, options.trunk);
    if (branch === null) return null;
    const ref = `refs/heads/${branch}`;
    await reachOrigin(dir, origin, (git) => git.raw(["push", "--", url, `${ref}:${ref}`]));
    return branch;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
