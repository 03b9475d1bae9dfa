import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { DOOR, objectIdSchema } from "@agentswarm/contracts";
import type { Sandbox } from "@agentswarm/sandbox";
import { openTail } from "@agentswarm/sandbox/streams";
import { atMost } from "./bounded-body.ts";

const TIMEOUT_MS = 60_000;

/** Runs inside the sandbox: the agent may have changed work tree and git configuration, so no git of the host reads them. */
const SCRIPT = `
git add --all >&2 &&
git -c user.name=AgentSwarm -c user.email=agent@agentswarm.invalid commit --quiet --no-verify -m "Unfinished work, kept when the attempt was ended" >&2
head=$(git rev-parse HEAD) && [ "$head" != "$1" ] &&
git update-ref refs/swarm/kept HEAD >&2 &&
git bundle create --quiet - refs/swarm/kept "^$1" &&
echo "kept $head" >&2`;

const ERROR_CHARS = 2_000;

/**
 * Commits the unfinished work in the sandbox of a killed agent, and writes its bundle to `file`. Returns the commit, or
 * null when there is no work or it could not be read.
 */
export async function salvage(sandbox: Sandbox, baseCommit: string, file: string): Promise<string | null> {
  const argv = ["sh", "-c", SCRIPT, "sh", baseCommit];
  const child = sandbox.exec(argv, { cwd: "repo", timeoutMs: TIMEOUT_MS });
  const errors = openTail(ERROR_CHARS);
  child.stderr.on("data", (chunk: Buffer) => errors.add(chunk.toString()));
  child.stdin.end();
  try {
    await pipeline(child.stdout, atMost(DOOR.commits.body.maxBytes), createWriteStream(file));
    const { code } = await child.exit;
    const head = objectIdSchema.safeParse(/^kept (\S+)$/m.exec(errors.text())?.[1]);
    return code === 0 && head.success ? head.data : null;
  } catch {
    child.kill();
    return null;
  }
}
