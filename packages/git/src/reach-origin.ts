import { fileURLToPath } from "node:url";
import { Fault } from "@agentswarm/contracts";
import type { SimpleGit } from "simple-git";
import { maskCredential, type OriginAddress } from "./origin-address.ts";
import { safeGit, type SafeGitAnswer } from "./safe-git.ts";

const ORIGIN_TIMEOUT_MS = 60_000;

/**
 * Runs a command that talks to the origin, with its credential. Every failure is Fault `origin.unreachable`, retryable,
 * without the credential.
 */
export async function reachOrigin<T>(
  dir: string,
  { credential }: OriginAddress,
  command: (git: SimpleGit) => Promise<T>,
  answers: readonly number[] = [],
): Promise<SafeGitAnswer<T>> {
  try {
    return await safeGit({ cwd: dir, answers, credential, timeoutMs: ORIGIN_TIMEOUT_MS }, command);
  } catch (cause) {
    throw unreachable(maskCredential(Fault.from(cause).message, credential));
  }
}

export function unreachable(why: string): Fault {
  return new Fault("origin.unreachable", `GIT_REPO_URL: ${why}`, { retryable: true });
}

/** The folder of an origin that is a bare repository on this machine, or null. */
export async function findBare(url: string): Promise<string | null> {
  const path = url.startsWith("file://") ? fileURLToPath(url) : url;
  if (!path.startsWith("/")) return null;
  const answer = await safeGit({ cwd: path }, (git) => git.revparse(["--is-bare-repository"])).catch(
    () => null,
  );
  return answer?.value === "true" ? path : null;
}

/** The branch that the origin's HEAD names. */
export async function findTrunk(dir: string, origin: OriginAddress): Promise<string> {
  const { url } = origin;
  const { value } = await reachOrigin(dir, origin, (git) => git.listRemote(["--symref", "--", url, "HEAD"]));
  const trunk = /^ref: refs\/heads\/(\S+)\tHEAD/m.exec(value)?.[1];
  if (trunk === undefined) {
    throw new Fault(
      "target.invalid",
      `GIT_REPO_URL: ${url} has no commit on its HEAD; push one, or set TRUNK`,
    );
  }
  return trunk;
}
