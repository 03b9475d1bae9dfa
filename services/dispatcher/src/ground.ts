import { findChecks } from "@agentswarm/checks";
import type { TargetSettings } from "@agentswarm/contracts";
import type { Mount } from "@agentswarm/sandbox";
import { AGENT_AT } from "./start-agent.ts";
import type { Workshop } from "./workshop.ts";

/** What an attempt stands on: the trunk's newest commit, and what that commit says. */
export interface Ground {
  readonly baseCommit: string;
  readonly target: TargetSettings;
  /** What its sandbox sees of this machine: the agent and the target's dependencies. */
  readonly mounts: readonly Mount[];
}

/** Reads what the trunk's newest commit, as far as it is known here, asks of an attempt. */
export async function readGround(
  shop: Pick<Workshop, "mirror" | "dependencies" | "agentFile" | "agentKey" | "runtime">,
): Promise<Ground> {
  const { mirror } = shop;
  const baseCommit = await mirror.head();
  const readFile = (path: string) => mirror.readFile(baseCommit, path);
  const { settings: target } = await findChecks(readFile);
  const mounts = [
    ...(await shop.dependencies.ensure(readFile)),
    ...shop.runtime.mounts,
    { from: shop.agentFile, at: AGENT_AT, key: shop.agentKey },
  ];
  return { baseCommit, target, mounts };
}
