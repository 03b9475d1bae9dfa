import { spawn } from "node:child_process";
import { once } from "node:events";
import { Fault } from "@agentswarm/contracts";

/** Where compose mounts the swarm's volumes for a backup. */
export const VOLUMES = "/volumes";
/** Bare repositories in them, by the names of their bundles. */
export const REPOSITORIES = { origin: "origin/origin.git", store: "store/store.git" } as const;
/** Volumes that are kept as they are. */
export const FOLDERS = ["artifacts", "keys"] as const;
export const REDIS_DUMP = "redis.rdb";

/** Runs tar on this process's own stdin or stdout. */
export async function tar(args: readonly string[]): Promise<void> {
  const child = spawn("tar", args, { stdio: ["inherit", "inherit", "inherit"] });
  const [code] = (await once(child, "close")) as [number | null];
  // 1: a file changed while it was read, which logs and transcripts of a running swarm do.
  if (code !== 0 && code !== 1) throw new Fault("internal", `tar ended with ${code}`);
}
