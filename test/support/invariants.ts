import { isEventOf, TRUNK_HEALTH, type DomainEvent, type FeatureDetail } from "@agentswarm/contracts";
import { git } from "./string-kit.ts";

/**
 * What holds after every run, whatever was killed. Each function returns the violations that it finds, as text.
 * Features include the one of the trunk's health, where there is one.
 */
const FEATURE_ENDS = ["done", "failed", "cancelled"];
const TASK_ENDS = ["landed", "failed", "blocked", "cancelled"];

/** I1: every feature and each of its tasks ends, and what did not land says why. The trunk's health never ends. */
export function workWithoutEnd(features: readonly FeatureDetail[]): string[] {
  return features.flatMap(({ id, title, status, reason, tasks }) => {
    const feature = `${title} (${id}) is ${status}`;
    const ended = id === TRUNK_HEALTH || FEATURE_ENDS.includes(status);
    const explained = id === TRUNK_HEALTH || status === "done" || Boolean(reason);
    return [
      ...(ended ? [] : [feature]),
      ...(explained ? [] : [`${feature} without a reason`]),
      ...tasks
        .filter((task) => !TASK_ENDS.includes(task.status) || (task.status !== "landed" && !task.reason))
        .map((task) => `${feature}: task ${task.key} is ${task.status} (${task.reason ?? "no reason"})`),
    ];
  });
}

/** The tasks that trailers on the trunk name, once for each trailer. */
export function trailersOf(origin: string): string[] {
  const format = "--format=%(trailers:key=Swarm-Task,valueonly,separator=)";
  return git(origin, "log", format, "main")
    .split("\n")
    .filter((line) => line !== "");
}

/**
 * I2: landed tasks and trailers on the trunk match one to one. A task whose work others had brought has no commit of its
 * own; its `landing.landed` event says `empty`.
 */
export function landingsOffTrunk(
  features: readonly FeatureDetail[],
  events: readonly DomainEvent[],
  origin: string,
): string[] {
  const trailers = trailersOf(origin);
  const onTrunk = new Set(trailers);
  const twice = trailers.filter((id, nth) => trailers.indexOf(id) !== nth);
  const landed = features.flatMap((one) => one.tasks.filter(({ status }) => status === "landed"));
  const ids = new Set(landed.map(({ id }) => id));
  const landings = events.filter(isEventOf("landing.landed"));
  const without = new Set(landings.filter(({ data }) => "empty" in data).map(({ taskId }) => taskId));
  const missing = landed.filter(({ id }) => !onTrunk.has(id) && !without.has(id));
  return [
    ...twice.map((id) => `${id} is on the trunk twice`),
    ...missing.map(({ id }) => `${id} has landed but is not on the trunk`),
    ...[...onTrunk].filter((id) => !ids.has(id)).map((id) => `${id} is on the trunk but has not landed`),
  ];
}

/** I3: the trunk and green only moved forward, and green is on the trunk. Needs `core.logAllRefUpdates` in the origin. */
export function movesBackwards(origin: string): string[] {
  const moved = ["main", "green"].flatMap((ref) => {
    const moves = git(origin, "reflog", "show", "--format=%H", `refs/heads/${ref}`).split("\n").toReversed();
    return moves.flatMap((to, nth) => {
      const from = moves[nth - 1];
      return from === undefined || git(origin, "merge-base", from, to) === from
        ? []
        : [`${ref} went from ${from} to ${to}`];
    });
  });
  const green = git(origin, "rev-parse", "green");
  return git(origin, "merge-base", "green", "main") === green
    ? moved
    : [...moved, "green is not on the trunk"];
}

/** I3: what was published is the tree that was tested. */
export function untestedTrees(events: readonly DomainEvent[], origin: string): string[] {
  return events.filter(isEventOf("landing.landed")).flatMap(({ taskId, data }) => {
    if (data.kind !== "landed") return [];
    const tree = git(origin, "rev-parse", `${data.commit}^{tree}`);
    return tree === data.tree ? [] : [`${taskId} landed the tree ${tree}, but ${data.tree} was tested`];
  });
}
