import type { Handoff } from "@agentswarm/contracts";
import { failpoint } from "@agentswarm/contracts/node";
import { fetchQuarantined } from "@agentswarm/git";
import { measureCommits } from "./measure-commits.ts";
import type { Workshop } from "./workshop.ts";

export interface Collected {
  readonly handoff: Handoff;
  /** Whether its commits lie in the store. */
  readonly stored: boolean;
  /** Why quarantine refused its commits, or null. */
  readonly unsafe: string | null;
}

/** Takes an attempt's commits into the store through quarantine, and measures them there. */
export async function collect(
  shop: Workshop,
  handoff: Handoff,
  from: { bundlePath: string; baseCommit: string },
): Promise<Collected> {
  const { headCommit, taskId, attempt } = handoff;
  if (headCommit === null) return { handoff, stored: false, unsafe: null };
  const { store, mirror } = shop;
  const taken = await fetchQuarantined({ ...from, headCommit, repoDir: mirror.dir, store, taskId, attempt });
  if (taken.kind === "refused") {
    const reason = `quarantine refused the commits: ${taken.why}`;
    const refused: Handoff = { ...handoff, outcome: "failed", end: "failed", reason, headCommit: null };
    return { handoff: refused, stored: false, unsafe: taken.why };
  }
  failpoint("dispatcher.stored");
  const figures = await measureCommits(store.dir, from.baseCommit, headCommit);
  const measured = { ...handoff, filesChanged: taken.files, metrics: { ...handoff.metrics, ...figures } };
  return { handoff: measured, stored: true, unsafe: null };
}
