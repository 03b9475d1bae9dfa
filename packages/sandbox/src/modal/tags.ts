import { hostname } from "node:os";
import { describeProcess, isRunning } from "../local/owner.ts";
import type { SandboxLabels } from "../sandbox.ts";

export type Tags = Record<string, string>;

/** Who opened a sandbox: process, when it started, and the replica's name. */
const OWNER = "owner";

function replica(): string {
  return hostname()
    .replaceAll(/[^A-Za-z0-9.-]/g, "-")
    .slice(0, 30);
}

/** A sandbox's tags: its labels, and this process as its owner. */
export function tagsOf(labels: SandboxLabels): Tags {
  const { pid, startedTicks } = describeProcess(process.pid);
  const { swarm, purpose, task, attempt } = labels;
  return {
    swarm,
    purpose,
    ...(task === undefined ? {} : { task }),
    ...(attempt === undefined ? {} : { attempt }),
    [OWNER]: `${pid}_${startedTicks ?? ""}_${replica()}`,
  };
}

export function labelsOf(tags: Tags): SandboxLabels {
  const { swarm = "", purpose = "unknown", task, attempt } = tags;
  return {
    swarm,
    purpose,
    ...(task === undefined ? {} : { task }),
    ...(attempt === undefined ? {} : { attempt }),
  };
}

/**
 * Whether the process that opened it is gone. Only a process of the same replica can be looked for; those of others
 * are left to their replica's next start, and to the sandbox's own time limit.
 */
export function isOrphaned(tags: Tags): boolean {
  const [pid = "", ticks = "", host] = (tags[OWNER] ?? "").split("_");
  if (host !== replica() || !/^\d+$/.test(pid)) return false;
  return !isRunning({ pid: Number(pid), startedTicks: ticks === "" ? null : Number(ticks) });
}
