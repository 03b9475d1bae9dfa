import { Fault } from "@agentswarm/contracts";
import { runGit } from "./run-git.ts";

const ORIGIN_TIMEOUT_MS = 60_000;

/** Talks to the origin; whatever goes wrong there may be right again later. Gives back what git printed. */
export async function reachOrigin(dir: string, args: readonly string[]): Promise<string> {
  try {
    return (await runGit(args, { cwd: dir, timeoutMs: ORIGIN_TIMEOUT_MS })).stdout;
  } catch (cause) {
    const message = Fault.from(cause).message;
    throw new Fault("origin.unreachable", `GIT_REPO_URL: ${message}`, { retryable: true, cause });
  }
}

/** The branch that the origin's HEAD names. */
export async function findTrunk(dir: string, url: string): Promise<string> {
  const answer = await reachOrigin(dir, ["ls-remote", "--symref", "--", url, "HEAD"]);
  const trunk = /^ref: refs\/heads\/(\S+)\tHEAD/m.exec(answer)?.[1];
  if (trunk === undefined) {
    throw new Fault(
      "target.invalid",
      `GIT_REPO_URL: ${url} has no commit on its HEAD; push one, or set TRUNK`,
    );
  }
  return trunk;
}

/** A ref only ever moves to a descendant of where it is. Throws Fault `git.refused` otherwise. */
export async function refuseBackwards(
  isAncestor: (ancestor: string, descendant: string) => Promise<boolean>,
  move: { ref: string; from: string | null; to: string },
): Promise<void> {
  const { ref, from, to } = move;
  if (from === null || (await isAncestor(from, to))) return;
  throw new Fault("git.refused", `${ref} only moves forward: ${to} does not descend from ${from}`);
}
