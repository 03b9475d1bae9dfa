import type { DomainEvent, FeatureDetail } from "@agentswarm/contracts";
import { landingsOffTrunk, movesBackwards, untestedTrees, workWithoutEnd } from "../support/invariants.ts";
import { processesOf, filesUnder, whereSecretIs } from "../support/leftovers.ts";
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

/** Memory of one service may grow by so much from the first third of a soak to its last. */
const GROWTH = 1.5;
const GROWTH_MIB = 80;
const LAG_MS = 1_000;
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

/** What grew from the second third to the last; the first is the start, before caches and compiled code are warm. */
function growth(samples: readonly Sample[]): string[] {
  const third = Math.floor(samples.length / 3);
  if (third < 3) return [];
  const before = mediansOf(samples.slice(third, 2 * third).map(({ rssMib }) => rssMib));
  const after = mediansOf(samples.slice(2 * third).map(({ rssMib }) => rssMib));
  return [...after].flatMap(([name, mib]) => {
    const was = before.get(name) ?? 0;
    return mib > was * GROWTH + GROWTH_MIB ? [`${name} grew from ${was} to ${mib} MiB`] : [];
  });
}

/** What keeps its event loop from turning in the last third of a soak, beyond what the machine does to the soak itself. */
function lag(samples: readonly Sample[]): string[] {
  const lags = mediansOf(samples.slice(-Math.ceil(samples.length / 3)).map(({ lagMs }) => lagMs));
  const limit = LAG_MS + 2 * (lags.get("soak") ?? 0);
  return [...lags].flatMap(([name, ms]) =>
    ms > limit && name !== "soak" ? [`the event loop of ${name} pauses for ${ms} ms; at most ${limit}`] : [],
  );
}

/** The median by name; medians, because services are suspended and restarted. */
export function mediansOf(records: readonly Readonly<Record<string, number>>[]): Map<string, number> {
  const names = new Set(records.flatMap((record) => Object.keys(record)));
  return new Map(
    Array.from(names, (name) => {
      const values = records.flatMap((record) => record[name] ?? []).toSorted((a, b) => a - b);
      return [name, values[Math.floor(values.length / 2)] ?? 0];
    }),
  );
}
