import { TRAILER } from "@agentswarm/contracts";
import { safeGit } from "./safe-git.ts";

/** The committer of every landing. Only first-parent commits of this committer count as landings. */
export const MERGER = { name: "AgentSwarm Merger", email: "merger@agentswarm.invalid" } as const;

/** A landed attempt, as the trunk records it. */
export interface Landing {
  readonly commit: string;
  readonly tree: string;
  readonly title: string;
  readonly taskId: string;
  readonly featureId: string;
  readonly attempt: number;
}

const trailer = (key: string) => `%(trailers:key=${key},valueonly,separator=%x2C)`;
const FIELDS = [
  "%H",
  "%T",
  "%ce",
  "%s",
  trailer(TRAILER.task),
  trailer(TRAILER.feature),
  trailer(TRAILER.attempt),
];

/** Reads the landings on the first-parent line of `head`, newest first; with `since`, only the landings after it. */
export async function readLandings(dir: string, head: string, since?: string): Promise<Landing[]> {
  const range = since === undefined ? head : `${since}..${head}`;
  // NUL is the one byte that a message cannot contain.
  const args = ["log", "-z", "--first-parent", `--format=${FIELDS.join("%x00")}`, "--end-of-options", range];
  const { value } = await safeGit({ cwd: dir }, (git) => git.raw(args));
  const fields = value.split("\0");
  const landings: Landing[] = [];
  for (let at = 0; at + FIELDS.length <= fields.length; at += FIELDS.length) {
    const [commit = "", tree = "", email = "", title = "", taskId = "", featureId = "", attempt = ""] =
      fields.slice(at, at + FIELDS.length);
    if (email !== MERGER.email || taskId === "") continue;
    landings.push({ commit, tree, title, taskId, featureId, attempt: Number(attempt) });
  }
  return landings;
}
