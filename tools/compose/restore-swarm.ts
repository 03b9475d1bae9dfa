import { existsSync } from "node:fs";
import { chown, cp, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "@agentswarm/contracts";
import { safeGit } from "@agentswarm/git";
import { FOLDERS, REDIS_DUMP, REPOSITORIES, tar, VOLUMES } from "./volumes.ts";

/** Reads an archive from stdin into empty volumes. Throws Fault `config.invalid` when a volume is not empty. */
export async function restoreSwarm(work: string): Promise<void> {
  await refuseUnlessEmpty();
  await tar(["-xf", "-", "-C", work]);
  if (!existsSync(join(work, REDIS_DUMP)))
    throw new Fault("config.invalid", `stdin is not the archive of a swarm: it has no ${REDIS_DUMP}`);
  for (const folder of FOLDERS) {
    await cp(join(work, folder), join(VOLUMES, folder), { recursive: true, preserveTimestamps: true });
    await giveToServices(join(VOLUMES, folder));
  }
  for (const [name, path] of Object.entries(REPOSITORIES)) {
    const bundle = join(work, `${name}.bundle`);
    if (!existsSync(bundle)) continue;
    const dir = join(VOLUMES, path);
    await mkdir(dirname(dir), { recursive: true });
    await safeGit({ cwd: VOLUMES }, (git) => git.clone(bundle, dir, ["--mirror"]));
    await safeGit({ cwd: dir }, async (git) => {
      await git.removeRemote("origin");
      await git.addConfig("receive.denyNonFastForwards", "true");
    });
    await giveToServices(dirname(dir));
  }
  await restoreRedis(join(work, REDIS_DUMP));
}

async function refuseUnlessEmpty(): Promise<void> {
  const full: string[] = [];
  for (const name of ["redis", ...Object.keys(REPOSITORIES), ...FOLDERS]) {
    if ((await readdir(join(VOLUMES, name))).length > 0) full.push(name);
  }
  if (full.length === 0) return;
  throw new Fault(
    "config.invalid",
    `these volumes are not empty: ${full.join(", ")}; \`docker compose down --volumes\` empties them for good`,
  );
}

/**
 * Makes a snapshot the base of an append-only file, because with `appendonly yes` Redis loads only that. (The layout
 * of multi-part AOF, Redis 7 and later.)
 */
async function restoreRedis(dump: string): Promise<void> {
  const dir = join(VOLUMES, "redis", "appendonlydir");
  const fresh = `${dir}.restoring`;
  const base = "appendonly.aof.1.base.rdb";
  await mkdir(fresh, { recursive: true });
  await cp(dump, join(fresh, base));
  await writeFile(join(fresh, "appendonly.aof.manifest"), `file ${base} seq 1 type b\n`);
  // Renamed last, so that an interrupted restore does not look like a complete one.
  await rm(dir, { recursive: true, force: true });
  await rename(fresh, dir);
}

/** Gives files to the user of the services, who owns /home/node in the image. */
async function giveToServices(path: string): Promise<void> {
  const { uid, gid } = await stat("/home/node");
  await chown(path, uid, gid);
  for (const name of await readdir(path, { recursive: true })) await chown(join(path, name), uid, gid);
}
