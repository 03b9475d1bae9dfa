import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { z } from "zod";

/**
 * The process that opened a sandbox, took a lock or holds jobs. Whether it still runs is known only on its own host; on any other
 * host an age limit decides.
 */
export const ownerSchema = z.object({
  /** As `thisHost` gives it. Records of earlier versions have no host: they were written on this one. */
  host: z.string().default(() => thisHost()),
  pid: z.number().int(),
  /** Start time in clock ticks since boot, to distinguish a later process with the same pid; null without /proc. */
  startedTicks: z.number().nullable(),
});
export type Owner = z.infer<typeof ownerSchema>;

/** `unknown`: the owner ran on another host. */
export type OwnerState = "running" | "gone" | "unknown";

const MAX_NAME_CHARS = 30;
const MACHINE_ID = "/etc/machine-id";
let known: string | undefined;

/**
 * Names this host: its host name, and a digest of host name and machine id, because two machines may have one name. It
 * stays the same when the machine or the container restarts. At most 39 characters of `[A-Za-z0-9.-]`.
 */
export function thisHost(): string {
  if (known !== undefined) return known;
  const name = hostname();
  const digest = createHash("sha256")
    .update(`${name}\n${readText(MACHINE_ID) ?? ""}`)
    .digest("hex");
  known = `${name.replaceAll(/[^A-Za-z0-9.-]/g, "-").slice(0, MAX_NAME_CHARS)}-${digest.slice(0, 8)}`;
  return known;
}

/** Describes a process of this host. */
export function describeProcess(pid: number): Owner {
  return { host: thisHost(), pid, startedTicks: startOf(pid) };
}

export function ownerState(owner: Owner): OwnerState {
  if (owner.host !== thisHost()) return "unknown";
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return "gone";
  }
  const isSame = owner.startedTicks === null || startOf(owner.pid) === owner.startedTicks;
  return isSame ? "running" : "gone";
}

/**
 * Field 22 of /proc/<pid>/stat; the name in field 2 may contain spaces and brackets. Null for a process that has ended,
 * also when its parent has not noticed it yet (state Z).
 */
function startOf(pid: number): number | null {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? null : Number(fields[19]);
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
