import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { asFault } from "@agentswarm/contracts";
import { originAddress, refuseUnlessSample } from "@agentswarm/git";
import { configuresModel } from "@agentswarm/llm";
import type { Environment } from "@agentswarm/service";
import type { DoctorSettings } from "./config.ts";
import { fail, type Finding } from "./finding.ts";

const NAME = "model";
const SAMPLE = join(import.meta.dirname, "../../target-repo");
const FIX = "set LLM_BASE_URL, LLM_API_KEY and LLM_MODEL, or leave GIT_REPO_URL and TARGET_REPO_PATH unset";

/** Without a model the services start on the sample project only. */
export async function examineSample(settings: DoctorSettings, env: Environment): Promise<Finding[]> {
  if (configuresModel(env) || env["RECORDED_TARGET"] === "any") return [];
  const own = resolve(settings.SWARM_HOME, "origin.git");
  if (settings.GIT_REPO_URL === undefined && !existsSync(join(own, "HEAD"))) {
    const path = resolve(settings.TARGET_REPO_PATH);
    if (path === SAMPLE) return [];
    return [fail(NAME, `npm start refuses to play recorded answers on ${path}`, FIX)];
  }
  try {
    const credential = settings.GIT_WRITE_CREDENTIAL ?? settings.GIT_READ_CREDENTIAL;
    await refuseUnlessSample(tmpdir(), originAddress(settings.GIT_REPO_URL ?? own, credential));
    return [];
  } catch (error) {
    const fault = asFault(error);
    // Of an origin that cannot be reached another finding says so.
    return fault.code === "config.invalid"
      ? [fail(NAME, "npm start refuses to play recorded answers on this repository", FIX)]
      : [];
  }
}
