import type { MergeRequest, ReviewSettings } from "@agentswarm/contracts";
import { countLines } from "@agentswarm/git";
import type { LandingContext } from "./context.ts";
import { whyReview } from "./hold/why-review.ts";

/** Why a person looks at an attempt before it lands, by LANDING; null: it lands without. `rules`: of the trunk's swarm.json. */
export async function checkReview(
  { landing, engine, mirror }: Pick<LandingContext, "landing" | "engine" | "mirror">,
  { baseCommit, headCommit, kind }: MergeRequest,
  rules: ReviewSettings,
): Promise<string | null> {
  if (landing !== "policy") return whyReview(landing, rules, { files: [], lines: 0, kind });
  const files = (await engine.changes(baseCommit, headCommit)).map(({ path }) => path);
  // Git compares the texts only where a rule asks for it.
  const lines = rules.lines === undefined ? 0 : await countLines(mirror.dir, baseCommit, headCommit);
  return whyReview(landing, rules, { files, lines, kind });
}
