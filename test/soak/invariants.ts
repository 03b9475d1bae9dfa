import type { DomainEvent, FeatureDetail } from "@agentswarm/contracts";
import { landingsOffTrunk, movesBackwards, untestedTrees, workWithoutEnd } from "../support/invariants.ts";
import { processesOf, filesUnder, whereSecretIs } from "../support/leftovers.ts";
import { growth, lag } from "./bounded.ts";
import type { Sample } from "./sample.ts";

/** What was seen when nothing was under way any more. */
export interface Evidence {
  readonly dir: string;
  readonly origin: string;
  /** Every accepted feature, and `trunk-health` if there is one. */
  readonly features: readonly FeatureDetail[];
  readonly events: readonly DomainEvent[];
  readonly slots: readonly string[];
  readonly sandboxes: readonly string[];
  readonly spent: { readonly costUsd: number; readonly capUsd: number };
  readonly samples: readonly Sample[];
  readonly logMibPerMinute: number;
  readonly canary: string;
}

const LOG_MIB_PER_MINUTE = 2;

/** The invariants by name, each with what violates it; an empty list is a pass. Call it after the swarm has stopped. */
export async function findViolations(evidence: Evidence): Promise<Record<string, string[]>> {
  const { features, events, origin } = evidence;
  return {
    I1: workWithoutEnd(features),
    I2: landingsOffTrunk(features, events, origin),
    I3: [...movesBackwards(origin), ...untestedTrees(events, origin)],
    I4: await leftovers(evidence),
    I5: overspent(evidence),
    I6: await whereSecretIs(evidence.dir, evidence.canary),
    I8: [...growth(evidence.samples), ...lag(evidence.samples), ...noise(evidence)],
  };
}

async function leftovers({ dir, slots, sandboxes }: Evidence): Promise<string[]> {
  const locks = (await filesUnder(dir)).filter((file) => file.endsWith(".lock"));
  return [
    ...slots.map((one) => `slot ${one}`),
    ...sandboxes.map((one) => `sandbox ${one}`),
    ...locks.map((one) => `lock ${one}`),
    // With the slash: sandboxes of others see the mount of a small disk, but nothing in it.
    ...(await processesOf(`${dir}/`)).map((one) => `process ${one}`),
  ];
}

function overspent({ events, spent }: Evidence): string[] {
  const found: string[] = [];
  if (spent.costUsd > spent.capUsd) found.push(`${spent.costUsd} USD were spent of ${spent.capUsd}`);
  if (!events.some(({ type }) => type === "model.used")) found.push("no call to the model was paid");
  return found;
}

function noise({ logMibPerMinute }: Evidence): string[] {
  if (logMibPerMinute <= LOG_MIB_PER_MINUTE) return [];
  return [`${logMibPerMinute} MiB of logs a minute; at most ${LOG_MIB_PER_MINUTE} are expected`];
}
