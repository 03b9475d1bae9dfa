import { toLabels } from "../labels.ts";
import { describeProcess, ownerState } from "@agentswarm/contracts/node";
import type { SandboxLabels } from "../sandbox.ts";

export type Tags = Record<string, string>;

/** The tag of the owner: pid, start time and host. */
const OWNER = "owner";

/** Returns the tags of a sandbox: its labels, and this process as its owner. */
export function tagsOf(labels: SandboxLabels): Tags {
  const { pid, startedTicks, host } = describeProcess(process.pid);
  return { ...toLabels(labels), [OWNER]: `${pid}_${startedTicks ?? ""}_${host}` };
}

export function labelsOf(tags: Tags): SandboxLabels {
  return toLabels(tags);
}

/**
 * Whether the owner is gone. A sandbox of a process on another host is never orphaned here: it is terminated when that
 * host starts again, or by Modal a minute after its wall time.
 */
export function isOrphaned(tags: Tags): boolean {
  const [pid = "", ticks = "", host = ""] = (tags[OWNER] ?? "").split("_");
  if (!/^\d+$/.test(pid)) return false;
  const startedTicks = ticks === "" ? null : Number(ticks);
  return ownerState({ host, pid: Number(pid), startedTicks }) === "gone";
}
