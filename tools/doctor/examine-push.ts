import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { maskCredential, originAddress, runGit, safeGit } from "@agentswarm/git";
import type { DoctorSettings } from "./config.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";
import type { Target } from "./open-target.ts";

const NAME = "push";
const DEADLINE_MS = 30_000;

/** Examines whether the origin would take a push, by a dry run that changes nothing. */
export async function examinePush(settings: DoctorSettings, target: Target): Promise<Finding[]> {
  const { GIT_REPO_URL, GIT_WRITE_CREDENTIAL, GIT_READ_CREDENTIAL, TRUNK } = settings;
  // An origin of the swarm's own lies in SWARM_HOME.
  if (GIT_REPO_URL === undefined) return [];
  const local = await examineLocal(GIT_REPO_URL, target.trunk);
  if (local !== null) return [local];
  if (GIT_WRITE_CREDENTIAL === undefined && GIT_READ_CREDENTIAL !== undefined)
    return [warn(NAME, "not tried: GIT_WRITE_CREDENTIAL is not set here", "the merger needs it")];
  const { url, credential } = originAddress(GIT_REPO_URL, GIT_WRITE_CREDENTIAL);
  try {
    const ref = `${target.head}:refs/heads/${target.trunk}`;
    const options = { cwd: target.dir, credential, timeoutMs: DEADLINE_MS };
    await safeGit(options, (git) => git.raw(["push", "--dry-run", "--", url, ref]));
    return [ok(NAME, `${url} lets this machine push to ${target.trunk}; a protected branch is not seen so`)];
  } catch (error) {
    const why =
      maskCredential((error as Error).message, credential)
        .split("\n")
        .at(-1) ?? "";
    const fix = `give GIT_WRITE_CREDENTIAL the right to push to ${TRUNK ?? target.trunk}`;
    return [fail(NAME, `${url} refuses a push: ${why}`, fix)];
  }
}

/** A dry run does not tell whether a repository on this machine takes a push. Null for one that is elsewhere. */
async function examineLocal(repoUrl: string, trunk: string): Promise<Finding | null> {
  const path = repoUrl.startsWith("file://") ? fileURLToPath(repoUrl) : repoUrl;
  if (!path.startsWith("/") || !existsSync(path)) return null;
  const read = async (...args: string[]) =>
    (await runGit(args, { cwd: path, answers: [1, 128] })).stdout.trim();
  const isBare = (await read("rev-parse", "--is-bare-repository")) === "true";
  if (!isBare && (await read("symbolic-ref", "--short", "HEAD")) === trunk)
    return fail(
      NAME,
      `${path} is a checkout of ${trunk}: git refuses pushes to the branch that is checked out`,
      `set TARGET_REPO_PATH=${path} to start from a copy, or GIT_REPO_URL to a bare repository (git clone --bare)`,
    );
  const dir = join(path, await read("rev-parse", "--git-dir"), "objects");
  try {
    accessSync(isBare ? join(path, "objects") : dir, constants.W_OK);
    return ok(NAME, `${path} may be written to`);
  } catch {
    // A container of a service that only reads has the repository mounted read-only.
    return warn(
      NAME,
      `${path} cannot be written to from here`,
      "the merger and the reconciler need to write it",
    );
  }
}
