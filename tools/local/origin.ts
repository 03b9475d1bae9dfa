import { existsSync, realpathSync } from "node:fs";
import { cp, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Fault } from "@agentswarm/contracts";
import { makeFirstCommit, runGit, SAMPLE_REF, safeGit } from "@agentswarm/git";

const SAMPLE = join(import.meta.dirname, "../../target-repo");
const SEEDER = { name: "AgentSwarm", email: "swarm@agentswarm.invalid" };

/**
 * Makes the origin that the swarm lands on when no GIT_REPO_URL is set: a bare repository under SWARM_HOME, seeded once
 * from a folder or a checkout, which may be empty. The checkout itself is never pushed to. The sample project is marked by a ref. Throws Fault `config.invalid` when there is none.
 */
export async function seedOrigin(
  targetPath: string,
  home: string,
  isSample: (source: string) => boolean = isSampleFolder,
): Promise<string> {
  const origin = join(home, "origin.git");
  if (existsSync(join(origin, "HEAD"))) return origin;
  const source = resolve(targetPath);
  const found = await stat(source).catch(() => null);
  if (!found?.isDirectory()) {
    throw new Fault(
      "config.invalid",
      `TARGET_REPO_PATH: ${source} is not a folder; set it to one, or set GIT_REPO_URL`,
    );
  }
  const fresh = `${origin}.${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  if (existsSync(join(source, ".git"))) {
    await safeGit({ cwd: home }, (git) => git.clone(source, fresh, ["--bare", "--no-hardlinks"]));
  } else {
    await commitFolder(source, fresh, home);
  }
  // A checkout without a commit gives an origin without a branch.
  await makeFirstCommit(fresh);
  if (isSample(source)) await runGit(["update-ref", SAMPLE_REF, "HEAD"], { cwd: fresh });
  // The trunk moves by compare-and-swap only.
  await safeGit({ cwd: fresh }, (git) => git.addConfig("receive.denyNonFastForwards", "true"));
  await rename(fresh, origin);
  return origin;
}

function isSampleFolder(source: string): boolean {
  return realpathSync(source) === realpathSync(SAMPLE);
}

async function commitFolder(source: string, bare: string, home: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "swarm-seed-"));
  try {
    await cp(source, work, {
      recursive: true,
      filter: (path) => !/\/(node_modules|dist|\.git)$/.test(path),
    });
    const env = {
      GIT_AUTHOR_NAME: SEEDER.name,
      GIT_AUTHOR_EMAIL: SEEDER.email,
      GIT_COMMITTER_NAME: SEEDER.name,
      GIT_COMMITTER_EMAIL: SEEDER.email,
    };
    await safeGit({ cwd: work, env }, async (git) => {
      await git.init(["--initial-branch=main"]);
      await git.add(["--all"]);
      // Also of an empty folder, in which a project begins.
      await git.commit("Seed the target", undefined, { "--allow-empty": null });
    });
    await safeGit({ cwd: home }, (git) => git.clone(work, bare, ["--bare", "--no-hardlinks"]));
    await safeGit({ cwd: bare }, (git) => git.removeRemote("origin"));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
