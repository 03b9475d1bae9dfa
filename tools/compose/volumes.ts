import { spawn } from "node:child_process";
import { once } from "node:events";
import { Fault } from "@agentswarm/contracts";

/** The folder where compose mounts the volumes of the swarm for a backup. */
export const VOLUMES = "/volumes";
/** Bare repositories in them, by the names of their bundles. */
export const REPOSITORIES = { origin: "origin/origin.git", store: "store/store.git" } as const;
/** Volumes that are archived as folders. */
export const FOLDERS = ["artifacts", "keys"] as const;
export const REDIS_DUMP = "redis.rdb";

/** Runs tar on this process's own stdin or stdout. */
export async function tar(args: readonly string[]): Promise<void> {
  const child = spawn("tar", args, { stdio: ["inherit", "inherit", "inherit"] });
  const [code] = (await once(child, "close")) as [number | null];
  // Exit code 1: a file changed while it was read, as transcripts of a running swarm do.
  if (code !== 0 && code !== 1) throw new Fault("internal", `tar exited with ${code}`);
}
