import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { asFault } from "@agentswarm/contracts";
import { maskCredential, originAddress, safeGit } from "@agentswarm/git";
import type { DoctorSettings } from "./config.ts";
import { fail, ok, type Finding } from "./finding.ts";

const NAME = "origin";
const DEADLINE_MS = 15_000;

/** Examines whether the repository to land on answers, or can be seeded. */
export async function examineOrigin(settings: DoctorSettings): Promise<Finding> {
  const { GIT_REPO_URL, TARGET_REPO_PATH, SWARM_HOME } = settings;
  if (GIT_REPO_URL === undefined) return examineSeed(resolve(TARGET_REPO_PATH), SWARM_HOME);
  const { url, credential } = originAddress(
    GIT_REPO_URL,
    settings.GIT_WRITE_CREDENTIAL ?? settings.GIT_READ_CREDENTIAL,
  );
  try {
    const here = { cwd: process.cwd(), timeoutMs: DEADLINE_MS, credential };
    const { value } = await safeGit(here, (git) => git.listRemote(["--symref", "--", url, "HEAD"]));
    const trunk = /ref: refs\/heads\/(\S+)/.exec(value)?.[1];
    if (trunk !== undefined) return ok(NAME, `${url}, trunk ${settings.TRUNK ?? trunk}`);
    return ok(NAME, `${url} is empty: the merger pushes an empty first commit to it`);
  } catch (error) {
    const why = maskCredential(asFault(error).message, credential);
    return fail(NAME, `${url}: ${why}`, "correct GIT_REPO_URL, GIT_READ_CREDENTIAL or GIT_WRITE_CREDENTIAL");
  }
}

function examineSeed(path: string, home: string): Finding {
  if (existsSync(resolve(home, "origin.git/HEAD"))) return ok(NAME, `${resolve(home, "origin.git")}`);
  if (existsSync(path) && statSync(path).isDirectory()) return ok(NAME, `will be seeded from ${path}`);
  return fail(NAME, `${path} is not a folder`, "set TARGET_REPO_PATH or GIT_REPO_URL");
}
