import { fileURLToPath } from "node:url";
import { Fault } from "@agentswarm/contracts";
import type { RefMove } from "./publish-right.ts";
import { runGit, type GitResult } from "./run-git.ts";

const ORIGIN_TIMEOUT_MS = 60_000;

/** Talks to the origin; whatever goes wrong there may be right again later. */
export async function reachOrigin(
  dir: string,
  args: readonly string[],
  answers: readonly number[] = [],
): Promise<GitResult> {
  try {
    return await runGit(args, { cwd: dir, answers, timeoutMs: ORIGIN_TIMEOUT_MS });
  } catch (cause) {
    throw unreachable(Fault.from(cause).message, cause);
  }
}

export function unreachable(why: string, cause?: unknown): Fault {
  return new Fault("origin.unreachable", `GIT_REPO_URL: ${why}`, { retryable: true, cause });
}

/** The folder of an origin that is a bare repository on this machine, or null. */
export async function findBare(url: string): Promise<string | null> {
  const path = url.startsWith("file://") ? fileURLToPath(url) : url;
  if (!path.startsWith("/")) return null;
  const answer = await runGit(["rev-parse", "--is-bare-repository"], { cwd: path }).catch(() => null);
  return answer?.stdout.trim() === "true" ? path : null;
}

/** The branch that the origin's HEAD names. */
export async function findTrunk(dir: string, url: string): Promise<string> {
  const { stdout } = await reachOrigin(dir, ["ls-remote", "--symref", "--", url, "HEAD"]);
  const trunk = /^ref: refs\/heads\/(\S+)\tHEAD/m.exec(stdout)?.[1];
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
  move: RefMove,
): Promise<void> {
  const { ref, from, to } = move;
  if (from === null || (await isAncestor(from, to))) return;
  throw new Fault("git.refused", `${ref} only moves forward: ${to} does not descend from ${from}`);
}
