import { isEventOf, type DomainEvent, type FeatureDetail } from "@agentswarm/contracts";
import { processesOf, filesUnder, whereSecretIs } from "../support/leftovers.ts";
import { git } from "../support/string-kit.ts";
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

const ENDED = new Set(["done", "failed", "cancelled"]);
const TASK_ENDED = new Set(["landed", "failed", "blocked", "cancelled"]);
const TRUNK_HEALTH = "trunk-health";
/** Memory of one service may grow by so much from the first third of a soak to its last. */
const GROWTH = 1.5;
const GROWTH_MIB = 80;
const LOG_MIB_PER_MINUTE = 2;

/** The invariants by name, each with what violates it; an empty list is a pass. Call it after the swarm has stopped. */
export async function findViolations(evidence: Evidence): Promise<Record<string, string[]>> {
  return {
    I1: unended(evidence),
    I2: mismatches(evidence),
    I3: rewinds(evidence),
    I4: await leftovers(evidence),
    I5: overspent(evidence),
    I6: await whereSecretIs(evidence.dir, evidence.canary),
    I8: [...growth(evidence.samples), ...noise(evidence)],
  };
}

function unended({ features }: Evidence): string[] {
  return features.flatMap(({ id, status, reason, tasks }) => {
    const found: string[] = [];
    if (id !== TRUNK_HEALTH && !ENDED.has(status)) found.push(`feature ${id} is ${status}`);
    if (id !== TRUNK_HEALTH && status !== "done" && !reason)
      found.push(`feature ${id} is ${status} without a reason`);
    for (const task of tasks) {
      if (!TASK_ENDED.has(task.status)) found.push(`task ${task.id} is ${task.status}`);
      else if (task.status !== "landed" && !task.reason)
        found.push(`task ${task.id} is ${task.status} without a reason`);
    }
    return found;
  });
}

function mismatches({ origin, features, events }: Evidence): string[] {
  const text = git(origin, "log", "--format=%(trailers:key=Swarm-Task,valueonly,separator=)", "main");
  const trailers = text.split("\n").filter((line) => line !== "");
  const landed = features.flatMap(({ tasks }) => tasks).filter(({ status }) => status === "landed");
  const onTrunk = new Set(trailers);
  // Other landings brought their work, so they made no commit of their own.
  const empty = new Set(
    events.filter(isEventOf("landing.landed")).flatMap(({ taskId, data }) => {
      return data.kind === "already-landed" && data.empty === true ? [taskId] : [];
    }),
  );
  const known = new Set(landed.map(({ id }) => id));
  return [
    ...trailers.filter((id, index) => trailers.indexOf(id) !== index).map((id) => `${id} landed twice`),
    ...[...known]
      .filter((id) => !onTrunk.has(id) && !empty.has(id))
      .map((id) => `${id} is landed, but not on the trunk`),
    ...[...onTrunk].filter((id) => !known.has(id)).map((id) => `${id} is on the trunk, but not landed`),
  ];
}

function rewinds({ origin }: Evidence): string[] {
  const found: string[] = [];
  for (const ref of ["main", "green"]) {
    const moves = git(origin, "reflog", "show", "--format=%H", `refs/heads/${ref}`).split("\n").toReversed();
    for (const [nth, to] of moves.entries()) {
      const from = moves[nth - 1];
      if (from !== undefined && git(origin, "merge-base", from, to) !== from)
        found.push(`${ref} moved from ${from} to ${to}`);
    }
  }
  if (git(origin, "merge-base", "green", "main") !== git(origin, "rev-parse", "green"))
    found.push("green is not on the trunk");
  return found;
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

function growth(samples: readonly Sample[]): string[] {
  const third = Math.floor(samples.length / 3);
  if (third < 3) return [];
  const names = new Set(samples.flatMap(({ rssMib }) => Object.keys(rssMib)));
  const medianOf = (part: readonly Sample[], name: string) => {
    const values = part.flatMap(({ rssMib }) => rssMib[name] ?? []).toSorted((a, b) => a - b);
    return values[Math.floor(values.length / 2)] ?? 0;
  };
  return [...names].flatMap((name) => {
    // The first third is the start, before caches and compiled code are warm.
    const before = medianOf(samples.slice(third, 2 * third), name);
    const after = medianOf(samples.slice(2 * third), name);
    return after > before * GROWTH + GROWTH_MIB ? [`${name} grew from ${before} to ${after} MiB`] : [];
  });
}
