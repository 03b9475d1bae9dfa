import { existsSync } from "node:fs";
import { findChecks, requireMounts, type DependencyCache } from "@agentswarm/checks";
import type { TargetSettings } from "@agentswarm/contracts";
import { bundleFor, type Bundles, type Mirror } from "@agentswarm/git";
import type { Mount } from "@agentswarm/sandbox";

/** The commit that an attempt starts from, with everything that is made for it. Many attempts share one base. */
export interface AttemptBase {
  readonly baseCommit: string;
  /** The settings of the target in that commit. */
  readonly target: TargetSettings;
  /** The agent and the target's dependencies, as the sandbox sees them. */
  readonly mounts: readonly Mount[];
  /** The history up to the commit. */
  readonly bundles: Bundles;
}

/**
 * Returns a function that makes the base at the trunk's newest commit, as of the mirror's last fetch. The newest base is
 * kept and used again while the trunk does not move. Throws Fault `target.invalid` when swarm.json cannot be read or the
 * dependencies cannot be installed.
 */
export function openBase(sources: {
  readonly mirror: Mirror;
  readonly dependencies: DependencyCache;
  /** The mounts of the agent, the same in every sandbox. */
  readonly agent: readonly Mount[];
  readonly bundlesDir: string;
}): () => Promise<AttemptBase> {
  const { mirror, dependencies, agent, bundlesDir } = sources;
  let last: { readonly commit: string; readonly base: Promise<AttemptBase> } | null = null;

  const make = async (baseCommit: string): Promise<AttemptBase> => {
    const readFile = (path: string) => mirror.readFile(baseCommit, path);
    const { settings: target } = await findChecks(readFile);
    const { scripts } = target.install;
    const mounts = [...requireMounts(await dependencies.ensure(readFile, { scripts })), ...agent];
    const bundles = await bundleFor({ repoDir: mirror.dir, commit: baseCommit, cacheDir: bundlesDir });
    return { baseCommit, target, mounts, bundles };
  };
  return async () => {
    const commit = await mirror.head();
    if (last?.commit === commit && exist((await last.base).bundles)) return last.base;
    const base = make(commit);
    last = { commit, base };
    // A failure may be temporary, so it is not kept.
    base.catch(() => {
      if (last?.base === base) last = null;
    });
    return base;
  };
}

/** Whether the bundles are still there: those that were not read for a day are removed. */
function exist({ full, thin }: Bundles): boolean {
  return existsSync(full) && (thin === null || existsSync(thin));
}
