import { failpoint, type MergeOutcome, type MergeRequest } from "@agentswarm/contracts";
import { findChecks } from "@agentswarm/checks";
import { buildLanding, fetchAttempt } from "@agentswarm/git";
import { readProtectionFacts } from "./protection.ts";
import { decideHold } from "./decide.ts";
import { runGate } from "./gate.ts";
import type { Workshop } from "./workshop.ts";

/** How often a landing is built again because the trunk moved under it. */
const REBUILDS = 10;
const CONFLICT_TITLES = 10;

/**
 * Lands one attempt: looks whether the trunk carries its task already, builds the landing on the trunk's head,
 * checks that very commit, and publishes it by compare-and-swap. When the trunk moved meanwhile all of it is done
 * again on the new head; nothing is ever forced. A kill at any point leaves either nothing or the whole landing.
 */
export async function land(
  shop: Workshop,
  request: MergeRequest,
  signal: AbortSignal,
): Promise<MergeOutcome> {
  const { mirror } = shop;
  for (let builds = 0; builds < REBUILDS; builds += 1) {
    await mirror.fetch();
    const tip = await mirror.head();
    const landed = await shop.landed.find(tip, request.taskId);
    if (landed !== null) return { kind: "already-landed", commit: landed.commit };
    failpoint("merger.looked");

    await fetchAttempt(shop.store, mirror.dir, request.ref);
    const target = await findChecks((path) => mirror.readFile(tip, path));
    if (request.approvedBy === undefined) {
      const why = decideHold(await readProtectionFacts(mirror, request, target.settings.protected));
      if (why !== null) return { kind: "held", why, base: request.baseCommit };
    }
    const built = await buildLanding({
      dir: mirror.dir,
      strategy: shop.strategy,
      tip,
      base: request.baseCommit,
      head: request.headCommit,
      title: request.title,
      trailers: {
        taskId: request.taskId,
        featureId: request.featureId,
        attempt: request.attempt,
        model: request.handoff.model,
        costUsd: request.handoff.metrics.costUsd,
      },
    });
    if (built.kind === "conflict") {
      const theirIntent = await intentOf(shop, request, tip, built.paths);
      return { kind: "conflict", paths: built.paths, base: request.baseCommit, theirIntent };
    }
    if (built.kind === "empty")
      return { kind: "unsafe", why: "the trunk has all of this already; nothing is left to land" };
    failpoint("merger.built");

    const rejected = shop.gate ? await runGate(shop, target.settings, built, request, signal) : null;
    if (rejected !== null) return rejected;
    failpoint("merger.gated");

    const pushed = await mirror.push(`refs/heads/${mirror.trunk}`, tip, built.commit);
    failpoint("merger.published");
    if (pushed === "published") return { kind: "landed", commit: built.commit, tree: built.tree, group: 1 };
    shop.log.info({ taskId: request.taskId, tip }, "the trunk moved; building again");
  }
  return {
    kind: "rejected",
    check: "publish",
    outputTail: `the trunk moved ${REBUILDS} times while this was being landed`,
  };
}

/** The titles of the landings since the attempt's base that touched the files in conflict. */
async function intentOf(
  { mirror }: Workshop,
  request: MergeRequest,
  tip: string,
  paths: readonly { path: string }[],
): Promise<string> {
  const wanted = new Set(paths.map(({ path }) => path));
  const titles: string[] = [];
  for (const landing of await mirror.landings(tip, request.baseCommit)) {
    const changed = await mirror.changedPaths(`${landing.commit}^`, landing.commit);
    if (changed.some((path) => wanted.has(path))) titles.push(`- ${landing.title}`);
    if (titles.length === CONFLICT_TITLES) break;
  }
  return titles.join("\n");
}
