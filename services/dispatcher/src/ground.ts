import { existsSync } from "node:fs";
import { findChecks, type DependencyCache } from "@agentswarm/checks";
import type { TargetSettings } from "@agentswarm/contracts";
import { bundleFor, type Bundles, type Mirror } from "@agentswarm/git";
import type { Mount } from "@agentswarm/sandbox";

/** What an attempt stands on: the trunk's newest commit, and what that commit says. */
export interface Ground {
  readonly baseCommit: string;
  readonly target: TargetSettings;
  /** What its sandbox sees of this machine: the agent and the target's dependencies. */
  readonly mounts: readonly Mount[];
  /** Its history, to be carried in. */
  readonly bundles: Bundles;
}

/** The ground of the trunk's newest commit, as far as that is known here; many attempts stand on the same one. */
export function openGround(sources: {
  readonly mirror: Mirror;
  readonly dependencies: DependencyCache;
  /** The agent, as every sandbox sees it. */
  readonly agent: readonly Mount[];
  readonly bundlesDir: string;
}): () => Promise<Ground> {
  const { mirror, dependencies, agent, bundlesDir } = sources;
  let last: { readonly commit: string; readonly ground: Promise<Ground> } | null = null;

  const read = async (baseCommit: string): Promise<Ground> => {
    const readFile = (path: string) => mirror.readFile(baseCommit, path);
    const { settings: target } = await findChecks(readFile);
    const mounts = [...(await dependencies.ensure(readFile)), ...agent];
    const bundles = await bundleFor({ repoDir: mirror.dir, commit: baseCommit, cacheDir: bundlesDir });
    return { baseCommit, target, mounts, bundles };
  };
  return async () => {
    const commit = await mirror.head();
    if (last?.commit === commit && areThere((await last.ground).bundles)) return last.ground;
    const ground = read(commit);
    last = { commit, ground };
    // What failed may be there the next time.
    ground.catch(() => {
      if (last?.ground === ground) last = null;
    });
    return ground;
  };
}

/** Bundles that nobody asked for in a day are removed. */
function areThere({ full, thin }: Bundles): boolean {
  return existsSync(full) && (thin === null || existsSync(thin));
}
