import { existsSync } from "node:fs";
import { cp, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Fault } from "@agentswarm/contracts";
import { runGit } from "@agentswarm/git";

const SEEDER = { name: "AgentSwarm", email: "swarm@agentswarm.invalid" };

/**
 * The origin the swarm lands on when no GIT_REPO_URL is set: a bare repository under SWARM_HOME, seeded once from
 * a folder or a checkout. The checkout itself is never pushed into.
 */
export async function seedOrigin(targetPath: string, home: string): Promise<string> {
  const origin = join(home, "origin.git");
  if (existsSync(join(origin, "HEAD"))) return origin;
  const source = resolve(targetPath);
  const found = await stat(source).catch(() => null);
  if (!found?.isDirectory()) {
    throw new Fault(
      "config.invalid",
      `TARGET_REPO_PATH: ${source} is no folder; name one, or set GIT_REPO_URL`,
    );
  }
  const fresh = `${origin}.${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  if (existsSync(join(source, ".git"))) {
    await runGit(["clone", "--bare", "--no-hardlinks", "--", source, fresh], { cwd: home });
  } else {
    await commitFolder(source, fresh, home);
  }
  // The trunk may be pushed to by compare-and-swap only.
  await runGit(["config", "receive.denyNonFastForwards", "true"], { cwd: fresh });
  await rename(fresh, origin);
  return origin;
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
    await runGit(["init", "--quiet", "--initial-branch=main"], { cwd: work });
    await runGit(["add", "--all"], { cwd: work });
    await runGit(["commit", "--quiet", "-m", "Seed the target"], { cwd: work, env });
    await runGit(["clone", "--bare", "--quiet", "--no-hardlinks", "--", work, bare], { cwd: home });
    await runGit(["remote", "remove", "origin"], { cwd: bare });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
