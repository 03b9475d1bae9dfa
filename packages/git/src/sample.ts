import { Fault } from "@agentswarm/contracts";
import type { OriginAddress } from "./origin-address.ts";
import { reachOrigin } from "./reach-origin.ts";

/** A ref of the origin that is seeded from the sample project. Neither a clone of its branches nor an agent has it. */
export const SAMPLE_REF = "refs/swarm/sample";

/**
 * Throws Fault `config.invalid` unless the origin was seeded from the sample project: recorded answers fit nothing else,
 * and on another repository their commits would land. `dir` is any folder.
 */
export async function refuseUnlessSample(dir: string, origin: OriginAddress): Promise<void> {
  const { value } = await reachOrigin(dir, origin, (git) => git.listRemote(["--", origin.url, SAMPLE_REF]));
  if (value.includes(SAMPLE_REF)) return;
  throw new Fault(
    "config.invalid",
    `no model is configured, and recorded answers are played on the sample project only, not on ${origin.url}: set LLM_BASE_URL, LLM_API_KEY and LLM_MODEL, or unset GIT_REPO_URL and TARGET_REPO_PATH`,
  );
}
